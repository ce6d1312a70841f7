"""The consumer: reads the Tracking Stream, keeps its place in S3, publishes every update to Kinesis."""
