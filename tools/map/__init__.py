"""Builds the map's data files from public-domain sources."""
