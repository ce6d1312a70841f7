"""Sinks: what is written of a window, and where."""
