"""Compares `ops plan`'s simulation with the local stack's real pollers."""
