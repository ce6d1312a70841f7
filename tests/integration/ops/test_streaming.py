"""What `ops status` says of a function that fails: each has its own runbook."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from local import running
from ops.looks.reading import Reading
from ops.looks.streaming import StreamingLooks
from ops.stack import Stack


class Failing(Reading):
    """A stack whose functions all fail."""

    def metrics(self, queries):
        """Five invocations, two of which failed."""
        return {"invocations": 5.0, "errors": 2.0} if "errors" in queries else {}


@pytest.fixture(scope="module")
def pages(repository):
    """The runbook that each function's alarm names, by the function's logical id."""
    found = {}
    for one in yaml_parse((repository / "template.yaml").read_text())["Resources"].values():
        if one["Type"] == "AWS::CloudWatch::Alarm" and "'MetricName': 'Errors'" in str(one):
            [function] = set(re.findall(r"'FunctionName', 'Value': {'Ref': '(\w+)'}", str(one)))
            [found[function]] = re.findall(r"docs/operations/[a-z-]+\.md", one["Properties"]["AlarmDescription"])
    return found


def test_a_functions_errors_lead_to_its_own_runbook(local_stack, pages):
    """That of its alarm; the archive's alarm is on what it leaves, and the consumer's last run is another part."""
    note = running.read_note(local_stack.endpoint)
    looks = StreamingLooks(Failing(Stack("local", note.resources, note.client), timedelta(minutes=5)))
    said = {}
    for function in (name for name in note.resources if name.endswith("Function")):
        [finding] = looks.function(function)
        said[function] = (finding.state, finding.do.removeprefix("runbook: "))
    wanted = pages | {"ArchiveFunction": "docs/operations/archive-behind.md"}
    del wanted["ConsumerFunction"]
    assert said.pop("ConsumerFunction") == ("ok", "")
    assert said == {function: ("attention", page) for function, page in wanted.items()}
