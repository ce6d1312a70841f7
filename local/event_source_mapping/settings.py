"""Settings of an event source mapping, read from Lambda's API or from CloudFormation's properties."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from local.event_source_mapping.filter import PatternError, RecordFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

_STREAM_ARN = re.compile(r"arn:[^:]+:kinesis:(?P<region>[^:]+):\d{12}:stream/(?P<name>[A-Za-z0-9_.-]+)")
_DESTINATION_ARN = re.compile(r"arn:[^:]+:(?P<service>s3|sqs|sns):.*")
_SHORTEST_AGE = 60  # API reference, MaximumRecordAgeInSeconds: values between -1 and 60 are not allowed
_MOST_FILTERS = 5  # developer guide, invocation-eventfiltering: the quota before it is raised

type StartingPosition = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]


class SettingsError(ValueError):
    """Lambda would refuse this mapping, or it is of a kind that is not run here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSettings:
    """One event source mapping of a Kinesis stream; durations in seconds, -1 means without limit.

    `starting_timestamp` is seconds since the epoch, and set exactly when the position is AT_TIMESTAMP.
    `role_arn` is the function's role: each record of an event names it as `invokeIdentityArn`.
    """

    uuid: str
    stream_arn: str
    function_arn: str
    role_arn: str
    starting_position: StartingPosition
    starting_timestamp: float | None = None
    enabled: bool = True
    batch_size: int = 100
    batching_window: int = 0
    parallelization_factor: int = 1
    tumbling_window: int = 0
    record_filter: RecordFilter | None = None
    report_batch_item_failures: bool = False
    bisect: bool = False
    maximum_retries: int = -1
    maximum_record_age: int = -1
    on_failure: str | None = None

    @property
    def stream_name(self) -> str:
        """The stream's name, the last part of its ARN."""
        return self.stream_arn.rpartition("/")[2]

    @property
    def region(self) -> str:
        """The region in the stream's ARN."""
        return self.stream_arn.split(":")[3]

    @classmethod
    def from_properties(
        cls,
        properties: Mapping[str, Any],
        *,
        role_arn: str,
        uuid: str | None = None,
        function_arn: str | None = None,
    ) -> MappingSettings:
        """Read a mapping as ListEventSourceMappings answers it, or an AWS::Lambda::EventSourceMapping's properties.

        `uuid` and `function_arn` are for the latter, which holds neither.

        Raises
        ------
        SettingsError
            When Lambda would refuse the mapping; it says which property, what it is and what it may be.
        """
        name = str(uuid or properties.get("UUID") or "")
        arn = str(function_arn or properties.get("FunctionArn") or "")
        if not name or not arn:
            raise SettingsError("an event source mapping needs its UUID and its function's ARN; one of them is missing")
        position, timestamp = _position(properties)
        window = _whole(properties, "TumblingWindowInSeconds", 0, 0, 900)
        factor = _whole(properties, "ParallelizationFactor", 1, 1, 10)
        if window and factor > 1:
            raise SettingsError(
                f"ParallelizationFactor is {factor} and TumblingWindowInSeconds is {window}: with a tumbling window "
                "the factor must be 1"
            )
        age = _whole(properties, "MaximumRecordAgeInSeconds", -1, -1, 604_800)
        if -1 < age < _SHORTEST_AGE:
            raise SettingsError(f"MaximumRecordAgeInSeconds is {age}: it must be -1 or from {_SHORTEST_AGE} to 604800")
        return cls(
            uuid=name,
            stream_arn=_stream_arn(properties),
            function_arn=arn,
            role_arn=role_arn,
            starting_position=position,
            starting_timestamp=timestamp,
            enabled=_flag(properties, "Enabled", default=properties.get("State") not in {"Disabled", "Disabling"}),
            batch_size=_whole(properties, "BatchSize", 100, 1, 10_000),
            batching_window=_whole(properties, "MaximumBatchingWindowInSeconds", 0, 0, 300),
            parallelization_factor=factor,
            tumbling_window=window,
            record_filter=_filter(properties),
            report_batch_item_failures=_reports_failures(properties),
            bisect=_flag(properties, "BisectBatchOnFunctionError", default=False),
            maximum_retries=_whole(properties, "MaximumRetryAttempts", -1, -1, 10_000),
            maximum_record_age=age,
            on_failure=_destination(properties),
        )


def _whole(properties: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    given = properties.get(name)
    if given is None:
        return default
    try:
        # CloudFormation hands numbers on as strings where they came through a parameter.
        value = int(given) if isinstance(given, str) else given
    except ValueError:
        value = None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise SettingsError(f"{name} is {given!r}: it must be a whole number from {low} to {high}")
    return value


def _flag(properties: Mapping[str, Any], name: str, *, default: bool) -> bool:
    given = properties.get(name)
    if given is None:
        return default
    value = {"true": True, "false": False}.get(str(given).lower())
    if value is None:
        raise SettingsError(f"{name} is {given!r}: it must be true or false")
    return value


def _stream_arn(properties: Mapping[str, Any]) -> str:
    arn = str(properties.get("EventSourceArn") or "")
    if not _STREAM_ARN.fullmatch(arn):
        raise SettingsError(
            f"EventSourceArn is {arn!r}: only Kinesis streams are polled here, "
            "arn:aws:kinesis:<region>:<account>:stream/<name> (no enhanced fan-out consumer)"
        )
    return arn


def _position(properties: Mapping[str, Any]) -> tuple[StartingPosition, float | None]:
    position = properties.get("StartingPosition")
    timestamp = properties.get("StartingPositionTimestamp")
    if position == "AT_TIMESTAMP":
        if timestamp is None:
            raise SettingsError("StartingPosition is AT_TIMESTAMP: StartingPositionTimestamp must be given too")
        return "AT_TIMESTAMP", _seconds(timestamp)
    if timestamp is not None:
        raise SettingsError(
            f"StartingPositionTimestamp is given and StartingPosition is {position!r}: it goes with AT_TIMESTAMP only"
        )
    if position == "TRIM_HORIZON":
        return "TRIM_HORIZON", None
    if position == "LATEST":
        return "LATEST", None
    raise SettingsError(f"StartingPosition is {position!r}: it must be TRIM_HORIZON, LATEST or AT_TIMESTAMP")


def _seconds(timestamp: object) -> float:
    if isinstance(timestamp, datetime):
        return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).timestamp()
    try:
        return float(str(timestamp))
    except ValueError:
        raise SettingsError(
            f"StartingPositionTimestamp is {timestamp!r}: it must be a time in seconds since 1970"
        ) from None


def _filter(properties: Mapping[str, Any]) -> RecordFilter | None:
    filters = (properties.get("FilterCriteria") or {}).get("Filters") or []
    if not filters:
        return None
    if len(filters) > _MOST_FILTERS:
        raise SettingsError(f"FilterCriteria holds {len(filters)} filters: it may hold {_MOST_FILTERS}")
    try:
        return RecordFilter([str(entry.get("Pattern", "")) for entry in filters])
    except PatternError as error:
        raise SettingsError(f"FilterCriteria: {error}") from error


def _reports_failures(properties: Mapping[str, Any]) -> bool:
    types = list(properties.get("FunctionResponseTypes") or [])
    if any(kind != "ReportBatchItemFailures" for kind in types):
        raise SettingsError(f"FunctionResponseTypes is {types!r}: it may hold ReportBatchItemFailures and nothing else")
    return bool(types)


def _destination(properties: Mapping[str, Any]) -> str | None:
    config = properties.get("DestinationConfig") or {}
    if (config.get("OnSuccess") or {}).get("Destination"):
        raise SettingsError("DestinationConfig has OnSuccess: a stream's mapping takes OnFailure only")
    arn = (config.get("OnFailure") or {}).get("Destination")
    if not arn:
        return None
    if not _DESTINATION_ARN.fullmatch(str(arn)):
        raise SettingsError(
            f"DestinationConfig.OnFailure.Destination is {arn!r}: it must be the ARN of a bucket, a queue or a topic"
        )
    return str(arn)
