"""The local AWS: moto, with what the stack needs and moto lacks."""
