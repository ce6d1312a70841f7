"""What is written of a window, and where."""
