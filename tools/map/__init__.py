"""Makes the map's data files of public-domain sources."""
