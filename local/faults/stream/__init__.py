"""Faults of the Tracking Stream: connections that break, stall or lie."""
