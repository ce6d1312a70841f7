"""The HTTP API: queries for aircraft, flights, windows, alerts and health."""
