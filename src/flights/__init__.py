"""The flights function: derives each aircraft's flights, from take-off to landing, from the archive once a day."""
