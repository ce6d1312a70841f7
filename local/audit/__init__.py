"""The audit of a run: compares what the feed sent with the stream and the sinks."""
