"""Code that several functions share: wire types, environment, logger and metrics."""
