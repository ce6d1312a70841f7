"""What the measured processes talk to, each a process on its own core: it is not measured, and must not wait."""
