"""From Lambda's event to the updates in it."""
