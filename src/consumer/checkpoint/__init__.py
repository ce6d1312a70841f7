"""Checkpoints: which position is safe to commit, and where it is stored."""
