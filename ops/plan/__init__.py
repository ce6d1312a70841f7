"""Which settings a load needs, what they lead to, and what they cost."""
