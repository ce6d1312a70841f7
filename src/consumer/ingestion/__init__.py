"""One run: the stream read, every update handed on once, and the run stopped in time."""
