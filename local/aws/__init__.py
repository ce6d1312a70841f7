"""AWS on this machine: moto, and what it needs to carry the whole stack."""
