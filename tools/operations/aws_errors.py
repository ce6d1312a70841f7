"""What to do about an error of AWS, for commands that a person runs."""

from __future__ import annotations

from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError, ProfileNotFound


def explained(error: Exception, needs: str) -> str:
    """Return the error with what to do about it; `needs` says what a caller that AWS refuses may lack."""
    match error:
        case NoRegionError():
            return "no region is set. Give --region, or set AWS_REGION"
        case NoCredentialsError():
            return "no AWS credentials were found. Give --profile, sign in (`aws sso login`), or set AWS_PROFILE"
        case ProfileNotFound():
            return f"{error}. Give --profile with a name from ~/.aws/config, or unset AWS_PROFILE"
        case ClientError():
            return f"{error}. {needs}"
    return str(error)
