"""The archive function: makes of the raw objects one sorted, typed Parquet object for each ingestion hour."""
