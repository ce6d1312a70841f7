"""Sources of a run: generated traffic or a recording, served here, or a remote stream."""
