"""Live objects: the latest state of every aircraft as it lies in S3. One writer; a reader in Python, one in JavaScript."""
