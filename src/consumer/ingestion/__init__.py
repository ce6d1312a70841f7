"""One run: reads the stream, passes every update on once, and stops in time."""
