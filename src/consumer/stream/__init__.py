"""From the provider's bytes to messages."""
