"""Capacity planning: the settings that a load needs, their effect and their cost."""
