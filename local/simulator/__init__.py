"""The Tracking Stream on one machine: an HTTP server that speaks the API, fed by generated traffic or a recording."""
