"""Instructions that the hot loops take for an update: what time cannot tell on a machine that does other work, too."""
