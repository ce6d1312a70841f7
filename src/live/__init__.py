"""Live objects: the latest state of every aircraft as it lies in S3, with one writer and one Python reader."""
