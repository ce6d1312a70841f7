"""Faults at given seconds of a run: processes, shards, concurrency."""
