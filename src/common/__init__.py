"""What several functions share: wire types, the environment, the observability instances."""
