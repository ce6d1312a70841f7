"""AWS clients made when they are used, and an endpoint that is the one that boto3's own client calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, EndpointVariantError, NoRegionError

from common import aws

PARTITIONS = ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"]
OWN = "http://127.0.0.1:9"


@pytest.fixture
def setting(monkeypatch):
    """A function that sets a variable of the environment."""
    return monkeypatch.setenv


class AskedError(Exception):
    """Ends a call before it is sent."""


def called():
    """Return the address that boto3's Kinesis client would send a call to, or the kind of its error."""

    def stop(request, **_):
        raise AskedError(request.url)

    try:
        client: Any = aws.session().create_client("kinesis")
        client.meta.events.register("before-send.kinesis.PutRecords", stop)
        client.put_records(StreamName="updates", Records=[{"Data": b"a", "PartitionKey": "A"}])
    except AskedError as asked:
        return str(asked).rstrip("/")
    except BotoCoreError as error:
        return type(error)


def found():
    """Return what we find, or the kind of its error."""
    try:
        return aws.endpoint("kinesis").rstrip("/")
    except BotoCoreError as error:
        return type(error)


def regions(partition):
    """Return the partition's regions that have Kinesis."""
    return aws.session().get_available_regions("kinesis", partition)


def test_these_are_all_partitions():
    """A partition that AWS opens comes with a new botocore, and has to be tried too."""
    assert aws.session().get_available_partitions() == PARTITIONS


@pytest.mark.parametrize("partition", PARTITIONS)
def test_the_endpoint_is_boto3s_in_every_region(setting, partition):
    """Every partition has suffixes of its own, and some regions names of their own."""
    for region in regions(partition):
        setting("AWS_DEFAULT_REGION", region)
        assert found() == called()
        assert region in found()


@pytest.mark.parametrize(("fips", "dual_stack"), [("true", "false"), ("false", "true"), ("true", "true")])
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-f"])
def test_fips_and_dual_stack_are_as_boto3_has_them(setting, partition, fips, dual_stack):
    """But where boto3 does not get as far as its rules: an older list refuses dual-stack in isolated partitions."""
    setting("AWS_DEFAULT_REGION", regions(partition)[0])
    setting("AWS_USE_FIPS_ENDPOINT", fips)
    setting("AWS_USE_DUALSTACK_ENDPOINT", dual_stack)
    usual = called()
    assert found() == usual or (usual is EndpointVariantError and partition == "aws-iso-f")


def test_a_region_that_botocore_does_not_know_yet_has_its_partitions_suffix(setting):
    """AWS opens regions faster than anyone deploys."""
    setting("AWS_DEFAULT_REGION", "cn-north-9")
    assert found() == called() == "https://kinesis.cn-north-9.amazonaws.com.cn"


@pytest.mark.parametrize(
    "settings",
    [
        {"AWS_ENDPOINT_URL": OWN},
        {"AWS_ENDPOINT_URL_KINESIS": OWN},
        {"AWS_ENDPOINT_URL_KINESIS": OWN, "AWS_ENDPOINT_URL": "http://127.0.0.1:7"},
        {"AWS_ENDPOINT_URL": OWN, "AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_ENDPOINT_URL": OWN, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        {"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_KINESIS": ""},
    ],
    ids=["all", "kinesis", "kinesis-first", "with-fips", "ignored", "empty"],
)
def test_a_configured_endpoint_is_used_as_boto3_uses_it(setting, settings):
    """A custom endpoint, as the local stack's, comes before the resolver's unless it is to be ignored."""
    for name, value in settings.items():
        setting(name, value)
    assert found() == called()
    ignored = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" in settings or not any(settings.values())
    assert (found() == OWN) is not ignored


def test_the_shared_configuration_file_is_read(setting, tmp_path):
    """A profile may give the endpoint, too."""
    file = tmp_path / "config"
    file.write_text(f"[default]\nservices = own\n[services own]\nkinesis =\n  endpoint_url = {OWN}\n")
    setting("AWS_CONFIG_FILE", str(file))
    aws.session.cache_clear()
    try:
        assert found() == called() == OWN
    finally:
        aws.session.cache_clear()


def test_no_region_is_said(monkeypatch, setting):
    """Nobody guesses one."""
    del setting
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name)
    assert found() is NoRegionError


def test_a_client_is_made_once_whichever_thread_is_first():
    """Making clients is not safe in several threads at once, and each has connections of its own."""
    client = aws.client("dynamodb", {"max_pool_connections": 7})
    with ThreadPoolExecutor(8) as pool:
        metas = set(pool.map(lambda _: id(client.meta), range(32)))
    assert len(metas) == 1
    assert client.meta.config.max_pool_connections == 7


def test_a_client_lacks_what_botocores_lacks():
    """What stands for a client answers for it in everything."""
    with pytest.raises(AttributeError):
        aws.client("firehose", {}).no_such_call()
