"""Tools for people who run a stack."""
