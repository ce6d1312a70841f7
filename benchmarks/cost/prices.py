"""List prices of us-east-1 in US dollars, as they were in November 2026; a month has 30 days, and nothing is free."""

from __future__ import annotations

SECONDS = 30 * 24 * 3600.0
HOURS = SECONDS / 3600
GB = 1e9

LAMBDA_DISK_GB_SECOND = 3.09e-8  # of ephemeral storage beyond half a GB
LAMBDA_GB_SECOND, LAMBDA_REQUEST = 0.0000133334, 0.20e-6  # arm64
SHARD_HOUR, PUT_UNIT, PUT_UNIT_BYTES = 0.015, 0.014e-6, 25 * 1024  # Kinesis, provisioned
ON_DEMAND_STREAM_HOUR, ON_DEMAND_GB_IN, ON_DEMAND_GB_OUT = 0.04, 0.08, 0.04  # Kinesis, on demand
FIREHOSE_GB, FIREHOSE_STEP = 0.029, 5_000  # each record is rounded up to 5 KB
STEP_TRANSITION = 25e-6  # of a standard workflow, https://aws.amazon.com/step-functions/pricing/
DYNAMODB_WRITE = 0.625e-6  # on demand, up to 1 KB
S3_PUT, S3_GET, S3_GB_MONTH = 5e-6, 0.4e-6, 0.023
API_REQUEST = 1e-6  # HTTP API
METRIC, ALARM, COMPOSITE, SECRET, KMS_KEY = 0.30, 0.10, 0.50, 0.40, 1.00
KMS_REQUEST = 0.03 / 10_000  # https://aws.amazon.com/kms/pricing/; from memory, the page was not to be had

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
