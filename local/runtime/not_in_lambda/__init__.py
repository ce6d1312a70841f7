"""A folder for PYTHONPATH: modules that are there for development, and never in Lambda."""
