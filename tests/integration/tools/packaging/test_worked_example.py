"""docs/adding-a-function.md, done as it says: the function is in the stack, in a zip, and does its work by its role."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile

import pytest

from local.aws.moto import Cloud
from local.aws.template import translate
from local.deploy import create
from local.faults.aws.authorisation import Authoriser
from local.faults.aws.proxy import AwsProxy
from local.runtime.function import Function

pytestmark = pytest.mark.timeout(600)  # wheels may have to be fetched

NAME = "CensusFunction"
_BLOCK = re.compile(r"```(?:python|text|yaml|make)\n# (.+?)\n(.*?)```", re.DOTALL)
_IN_FILE = re.compile(r'(\S+), (above|below) "(.+)"')


def apply(page, folder):
    """Put each block of the page where it says: into its own file, beside a line, or at a file's end."""
    places = []
    for place, text in _BLOCK.findall(page):
        places.append(place)
        if beside := _IN_FILE.fullmatch(place):
            name, where, line = beside.groups()
            before, found, after = (folder / name).read_text().partition(f"\n{line}\n")
            assert found, f"{name} has no line {line!r}"
            added = f"\n{text}{found[1:]}" if where == "above" else f"{found}{text}"
            (folder / name).write_text(before + added + after)
        elif place.endswith(", at its end"):
            with (folder / place.partition(",")[0]).open("a") as file:
                file.write("\n" + text)
        else:
            (folder / place).parent.mkdir(exist_ok=True)
            (folder / place).write_text(text)
    assert len(places) == len(set(places)) == 7
    return folder


@pytest.fixture(scope="module")
def changed(repository, copy_of, tmp_path_factory):
    """A copy of the repository with the example in it."""
    folder = copy_of(repository, tmp_path_factory.mktemp("example"))
    for name in ("template.yaml", "Makefile"):
        shutil.copy2(repository / name, folder / name)
    return apply((repository / "docs/adding-a-function.md").read_text(), folder)


@pytest.fixture(scope="module")
def unpacked(changed, machine, run_packaging, tmp_path_factory):
    """The function's zip, unpacked as Lambda does."""
    finished = run_packaging(changed, "--architecture", machine, "--only", "census")
    assert finished.returncode == 0, finished.stderr
    folder = tmp_path_factory.mktemp("census")
    with zipfile.ZipFile(changed / "dist" / "census.zip") as archive:
        archive.extractall(folder)
    return folder


def test_the_build_knows_it_and_the_first_tick_comes_after_it(changed):
    """`sam build` has a target of its name; the schedule waits for its mapping."""
    assert "\nbuild-CensusFunction:\n\t./package.sh " in (changed / "Makefile").read_text()
    resources = translate(changed / "template.yaml")["Resources"]
    assert resources["CensusFunctionUpdates"]["Type"] == "AWS::Lambda::EventSourceMapping"
    assert "CensusFunctionUpdates" in resources["ConsumerSchedule"]["DependsOn"]
    rules = resources["DataBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "census/"] == [30]


def test_it_does_its_work_from_its_zip_by_its_role(changed, unpacked, repository):
    """Single updates and envelopes are counted, a batch that comes again is counted once, and nothing is refused."""
    cloud = Cloud()
    try:
        parameters = {"StreamUrl": "http://127.0.0.1:9/", "StreamMode": "PROVISIONED"}
        template = changed / "template.yaml"
        stack = create(cloud, template, name="example", parameters=parameters, secret_value=NAME)
        settings = stack.functions[NAME]
        assert [one for one in stack.mappings if stack.function(one.function_arn).logical_id == NAME]
        authoriser = Authoriser(cloud.client("iam"), {NAME: settings.role_arn})
        with AwsProxy(cloud.endpoint, authoriser=authoriser) as proxy:
            function = Function(settings, unpacked, proxy.url, os.environ["PATH"])
            answers = [
                function.invoke((repository / "events" / name).read_bytes()).payload
                for name in ("alerts.json", "alerts.json", "aggregator-envelope.json")
            ]
            function.stop()
        s3, bucket = cloud.client("s3"), stack.resources["DataBucket"]
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="census/shardId-")["Contents"]
        kept = [json.loads(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()) for one in listed]
    finally:
        cloud.stop()
    assert answers[0] == answers[1]
    counts = [answers[0]["counted"], answers[2]["counted"]]
    assert all(count > 0 for count in counts)
    assert sorted(sum(one.values()) for one in kept) == sorted(counts)
    assert all(one.keys() <= {"satellite", "terrestrial", "unknown"} for one in kept)
