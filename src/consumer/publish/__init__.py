"""From updates to Kinesis records, each aircraft in order, in either record format."""
