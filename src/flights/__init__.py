"""Flights: what each aircraft flew, from take-off to landing, made of the archive's updates once a day."""
