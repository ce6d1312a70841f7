"""The archive function: turns raw objects into one sorted, typed Parquet object per ingestion hour."""
