"""Programs of their own: what the map takes of a browser, and what a viewer takes of the network."""
