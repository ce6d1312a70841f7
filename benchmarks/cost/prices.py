"""List prices of us-east-1 in US dollars, as they were in November 2026; a month has 30 days, and nothing is free.

Where a group says no more, it is AWS's pricing page of that service. `NOT_READ` lists what could not be looked up there
or anywhere else, and is from memory: look before you rely on it.
"""

from __future__ import annotations

SECONDS = 30 * 24 * 3600.0
HOURS = SECONDS / 3600
GB = 1e9

LAMBDA_DISK_GB_SECOND = 3.09e-8  # of ephemeral storage beyond half a GB
LAMBDA_GB_SECOND, LAMBDA_REQUEST = 0.0000133334, 0.20e-6  # arm64
SNAPSTART_GB_SECOND, SNAPSTART_RESTORED_GB = 0.0000015046, 0.0001397998  # of each version, however often it starts

# https://aws.amazon.com/kinesis/data-streams/pricing/
SHARD_HOUR, PUT_UNIT, PUT_UNIT_BYTES = 0.015, 0.014e-6, 25 * 1024  # provisioned
KEPT_SHARD_HOUR = 0.020  # beyond 24 hours, up to 7 days
FAN_OUT_SHARD_HOUR, FAN_OUT_GB = 0.015, 0.013  # each reader of its own
ON_DEMAND_STREAM_HOUR, ON_DEMAND_GB_IN, ON_DEMAND_GB_OUT = 0.04, 0.08, 0.04
ON_DEMAND_STEP = 1_024  # what comes in is charged by the record, rounded up
ON_DEMAND_FAN_OUT_GB, ON_DEMAND_KEPT_GB = 0.05, 0.10  # the latter a month, from 24 hours to 7 days
KEPT_LONG_GB = 0.023  # a month, beyond 7 days, in either mode

FIREHOSE_GB, FIREHOSE_STEP = 0.029, 5_000  # each record is rounded up to 5 KB
STEP_TRANSITION = 25e-6  # of a standard workflow, https://aws.amazon.com/step-functions/pricing/
DYNAMODB_WRITE = 0.625e-6  # on demand, up to 1 KB
S3_PUT, S3_GET, S3_GB_MONTH = 5e-6, 0.4e-6, 0.023
API_REQUEST = 1e-6  # HTTP API
SECRET = 0.40
KMS_KEY, KMS_REQUEST = 1.00, 0.03 / 10_000  # https://aws.amazon.com/kms/pricing/

# https://aws.amazon.com/cloudwatch/pricing/: a metric by the hours in which it is published, an alarm by its metrics.
METRIC, ALARM, COMPOSITE, DASHBOARD = 0.30, 0.10, 0.50, 3.00
LOG_GB = 0.50  # taken in
INSIGHTS_METRICS, INSIGHTS_LOG_BYTES = 8, 1_000  # of Lambda Insights, a function's and an invocation's

TRACE = 5e-6  # recorded, https://aws.amazon.com/xray/pricing/

# https://aws.amazon.com/eventbridge/pricing/, https://aws.amazon.com/sqs/pricing/, https://aws.amazon.com/sns/pricing/
PIPE_REQUEST, API_DESTINATION_REQUEST = 0.40e-6, 0.20e-6  # up to 64 KB each
SQS_REQUEST = 0.40e-6  # a standard queue's; what SNS delivers into one is not charged by SNS
MAIL = 2.00 / 100_000

# https://aws.amazon.com/vpc/pricing/, https://aws.amazon.com/privatelink/pricing/
NAT_HOUR, NAT_GB, PUBLIC_ADDRESS_HOUR = 0.045, 0.045, 0.005
ENDPOINT_HOUR, ENDPOINT_GB = 0.01, 0.01  # an interface endpoint's, in each zone

NOT_READ = ("FAN_OUT_GB", "ON_DEMAND_FAN_OUT_GB", "ON_DEMAND_KEPT_GB", "KEPT_LONG_GB")

# https://aws.amazon.com/cloudfront/pricing/, pay as you go; what CloudFront fetches from S3 is not charged by the byte.
CLOUDFRONT_REQUEST = 1e-6  # HTTPS, North America and Europe
CLOUDFRONT_FUNCTION = 0.1e-6
CLOUDFRONT_GB_STEPS = (
    (10e3, 0.085),
    (40e3, 0.080),
    (100e3, 0.060),
    (350e3, 0.040),
    (524e3, 0.030),
    (4e6, 0.025),
    (float("inf"), 0.020),
)
"""Gigabytes at each price, the first ones first: North America and Europe."""


def cloudfront_egress(gigabytes: float) -> float:
    """Return US dollars for so many gigabytes of one month."""
    dollars = 0.0
    for step, price in CLOUDFRONT_GB_STEPS:
        taken = min(gigabytes, step)
        dollars += taken * price
        gigabytes -= taken
    return dollars
