"""A page's lines for a shell, as far as they are `aws sqs` and variables: run as they are there, against the local AWS.

`start-message-move-task`, which moto lacks, is done here as SQS does it.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import jmespath  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient

_BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
_ASSIGNMENT = re.compile(r"(\w+)=\$\((.*)\)")
_LISTS = {"--attribute-names"}


def lines_of(page: str) -> list[str]:
    """Return the lines that can be run here, in their order."""
    lines = [line for block in _BLOCK.findall(page) for line in block.splitlines()]
    return [line for line in lines if line.startswith("aws sqs ") or _ASSIGNMENT.fullmatch(line)]


def run(lines: list[str], sqs: SQSClient, output: Callable[[str], str]) -> str:
    """Run lines in one shell, `output` being the page's function of that name; give what they print."""
    variables: dict[str, str] = {}
    said = []
    for line in lines:
        assignment = _ASSIGNMENT.fullmatch(line)
        text = _command(assignment[2] if assignment else line, variables, sqs, output)
        if assignment:
            variables[assignment[1]] = text
        else:
            said.append(text)
    return "\n".join(said)


def _command(line: str, variables: dict[str, str], sqs: SQSClient, output: Callable[[str], str]) -> str:
    filled = re.sub(r"\$\(output (\w+)\)", lambda one: output(one[1]), line)
    filled = re.sub(r"\$(\w+)", lambda one: variables[one[1]], filled)
    words = shlex.split(filled, comments=True)
    if words[0] == "output":
        return output(words[1])
    assert words[:2] == ["aws", "sqs"], line
    options = dict(zip(words[3::2], words[4::2], strict=True))
    query, text = options.pop("--query", None), options.pop("--output", "json") == "text"
    if words[2] == "start-message-move-task":
        return _move_back(sqs, options["--source-arn"])
    arguments: dict[str, Any] = {
        name.removeprefix("--").title().replace("-", ""): [value] if name in _LISTS else _number(value)
        for name, value in options.items()
    }
    answer: Any = getattr(sqs, words[2].replace("-", "_"))(**arguments)
    answer.pop("ResponseMetadata")
    found = jmespath.search(query, answer) if query else answer
    return str(found) if text else json.dumps(found, indent=4)


def _number(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def _move_back(sqs: SQSClient, arn: str) -> str:
    """Move all messages of a dead-letter queue to the queue they came from."""
    queue = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    [source] = sqs.list_dead_letter_source_queues(QueueUrl=queue)["queueUrls"]
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            sqs.send_message(QueueUrl=source, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return ""
