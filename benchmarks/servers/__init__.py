"""What the measured processes talk to, each a process on a core of its own: it is not measured, and must not wait."""
