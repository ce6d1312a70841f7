"""A shell whose settings are meant for real accounts, and wrong for these."""

from __future__ import annotations

HOSTILE = {
    "AWS_PROFILE": "nope",
    "AWS_DEFAULT_PROFILE": "nope",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_CA_BUNDLE": "/nope",
    "REQUESTS_CA_BUNDLE": "",
    "AWS_SSO_START_URL": "https://127.0.0.1:9",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nope",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/nope",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9",
    "AWS_STS_REGIONAL_ENDPOINTS": "nope",
    "AWS_MAX_ATTEMPTS": "nope",
    "AWS_RETRY_MODE": "nope",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_REGION": "nope",
    "AWS_DATA_PATH": "/nope",
    "BOTO_CONFIG": "/nope",
    "POWERTOOLS_LOG_LEVEL": "nope",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "http_proxy": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "all_proxy": "http://127.0.0.1:9",
}
"""What a shell may hold that is used to real accounts; nothing listens on that port."""
