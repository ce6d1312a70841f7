"""The one call the consumer makes for every update, PutRecords, at a quarter of what boto3's client spends on it.

ListShards is here as well, so that no second client has to be made for it.

boto3 validates each entry, walks its service model to serialise it, and parses every entry of the answer. Here the body
is written directly, botocore signs and sends it, and the answer is parsed only if it does not show at a glance that
every record has a sequence number: nothing else is an acknowledgement, whatever the status. The call, its answer and
its errors are those of boto3's client, and with the session that `wiring` makes so are proxies and trust: the two are
interchangeable, and a test compares them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pybase64
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, HTTPClientError

from common.printable import printable, said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from botocore.credentials import Credentials
    from botocore.httpsession import URLLib3Session

_JSON = "application/x-amz-json-1.1"
_OK = 200
_UNADDRESSED = 2
"""Fields of an entry without `ExplicitHashKey`."""
_SEQUENCE_NUMBER = b'"SequenceNumber":"4'
"""As sequence numbers begin, and are spelled; were they ever otherwise, the whole answer would be parsed."""

TAKEN: dict[str, Any] = {"SequenceNumber": "(not looked at)"}
"""Entry of a record that was taken, and of which nothing else is asked."""

_ERROR_CHARACTERS = 200


class _Entry(msgspec.Struct):
    SequenceNumber: str | None = None
    ShardId: str | None = None
    ErrorCode: str | None = None
    ErrorMessage: str | None = None


class _Answer(msgspec.Struct):
    Records: list[_Entry]


class UnusableAnswerError(HTTPClientError):
    """The call was answered with status 200, but not as Kinesis answers it: what became of it is not known."""

    fmt = "{operation} was answered with status 200 and no answer of Kinesis: {content}"


class KinesisApi:
    """A Kinesis client that knows these two calls alone; safe to use from several threads."""

    def __init__(self, endpoint: str, region: str, credentials: Credentials, http: URLLib3Session) -> None:
        self._endpoint = endpoint.rstrip("/") + "/"
        self._region = region
        self._credentials = credentials
        self._http = http

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def put_records(self, *, StreamName: str, Records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        """Send `Records` (each with `Data`, bytes, `PartitionKey`, and perhaps `ExplicitHashKey`).

        Return the answer's `Records`. If all were taken and none has a hash key, sequence numbers and shards are left
        out: a caller that does not say where a record belongs does not ask where it went.

        Raises
        ------
        botocore.exceptions.ClientError
            Kinesis refused the whole call.
        botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError
            No connection, or no answer.
        UnusableAnswerError
            An answer that is not one of Kinesis; an HTTPClientError, too.
        """
        parts = [b'{"StreamName":%b,"Records":[' % _quoted(StreamName)]
        for one in Records:  # joined once at the end: each further copy of a call of 600 KB is one too many
            parts += (b'{"Data":"', pybase64.b64encode(one["Data"]), b'","PartitionKey":', _quoted(one["PartitionKey"]))
            if len(one) > _UNADDRESSED:
                parts += (b',"ExplicitHashKey":', _quoted(one["ExplicitHashKey"]))
            parts.append(b"},")
        parts[-1] = b"}]}"
        answer = self._send("PutRecords", b"".join(parts))
        if (
            answer.count(_SEQUENCE_NUMBER) == len(Records)
            and b'"ErrorCode"' not in answer
            and not any(len(one) > _UNADDRESSED for one in Records)
        ):
            return {"Records": [TAKEN] * len(Records)}
        entries = _decoded("PutRecords", answer, _decode_answer).Records
        if len(entries) != len(Records):
            raise _unusable("PutRecords", answer)
        return {"Records": [_without_nulls(msgspec.structs.asdict(entry)) for entry in entries]}

    def list_shards(self, **parameters: str) -> dict[str, Any]:
        """Return one page of `Shards`, and `NextToken` where there are more; the parameters are boto3's.

        Raises
        ------
        botocore.exceptions.ClientError, botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError
            See `put_records`.
        """
        answer = self._send("ListShards", json.dumps(parameters).encode())
        return _decoded("ListShards", answer, _decode_object)

    def _send(self, operation: str, body: bytes) -> bytes:
        headers = {"Content-Type": _JSON, "X-Amz-Target": f"Kinesis_20131202.{operation}"}
        request = AWSRequest("POST", self._endpoint, headers=headers, data=body)
        credentials = self._credentials.get_frozen_credentials()  # they may have been renewed
        SigV4Auth(credentials, "kinesis", self._region).add_auth(request)
        response = self._http.send(request.prepare())
        if response.status_code != _OK:
            raise _refusal(operation, response.status_code, response.content)
        return response.content


_quoted = msgspec.json.Encoder().encode
_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def _decoded[T](operation: str, answer: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        return decode(answer)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise _unusable(operation, answer) from None


def _unusable(operation: str, answer: bytes) -> UnusableAnswerError:
    return UnusableAnswerError(operation=operation, content=_shown(answer), error=_shown(answer))


def _shown(content: bytes) -> str:
    return printable(content[: 4 * _ERROR_CHARACTERS].decode(errors="replace"), _ERROR_CHARACTERS) or "(empty)"


def _without_nulls(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not None}


def _refusal(operation: str, status: int, content: bytes) -> ClientError:
    try:
        answer = json.loads(content)
        code, message = str(answer["__type"]).rpartition("#")[2], answer.get("message") or answer.get("Message") or ""
    except (ValueError, KeyError, TypeError, AttributeError):
        code, message = str(status), _shown(content)
    what = {"Code": printable(code, _ERROR_CHARACTERS), "Message": said(message)}
    error = {"Error": what, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, operation)  # type: ignore[arg-type]  # the fields that we and botocore read
