"""The consumer: reads the Tracking Stream, keeps its position token in S3, publishes every update to Kinesis."""
