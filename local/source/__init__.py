"""What a run reads: generated traffic or a recording, served here, or a stream that somebody else serves."""
