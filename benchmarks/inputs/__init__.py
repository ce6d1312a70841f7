"""What the sides are fed: bodies of the stream, events, function packages."""
