"""What is safe to commit, and where it is kept."""
