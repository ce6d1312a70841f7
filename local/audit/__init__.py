"""What the feed sent, held against what the sinks and the stream have."""
