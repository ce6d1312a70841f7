"""Parameters: what they accept and refuse, and that the consumer would say the same."""

from __future__ import annotations

import re

import pytest

from common.environment import ConfigurationError
from consumer.settings import Settings

GOOD = {
    "StreamUrl": ["https://api.airsafe.spire.com/v2/targets/stream", "http://127.0.0.1:8080/v2/targets/stream"],
    "IcaoAddresses": ["", "A4F0AB", "a4f0ab,040172"],
    "Callsigns": ["", "DAL101", "DAL101,ETH701"],
    "TailNumbers": ["", "N301DN", "N301DN,ET-AWO"],
    "Airlines": ["", "DL", "DL,ET,Delta Air Lines"],
    "LatitudeBetween": ["", "33.4,33.9", "-90,90", "-5.5,0"],
    "LongitudeBetween": ["", "-84.7,-84.1", "170,-170", "-180,180"],
    "AltitudeBetween": ["", "0,10000", "-1000,45000"],
    "MaxAgeSeconds": ["", "60"],
    "LateFilter": ["", "true", "false"],
    "Compression": ["gzip", "none"],
    "StartPosition": ["LATEST", "BEGINNING"],
    "RecordFormat": ["single", "envelope"],
    "StopWhenCaughtUp": ["true", "false"],
    "StreamDelayMinutes": ["0", "240"],
    "UpdateProcessor": ["", "consumer.airborne:process", "airborne:process"],
}
BAD = {
    "StreamUrl": ["api.airsafe.spire.com", "http://example.com/stream", "https://example.com/?token=x", "ftp://x/y"],
    "IcaoAddresses": ["A4F0A", "A4F0AG", "A4F0AB;040172", "KATL"],
    "Callsigns": ["DAL 101", "DAL101;ETH701", "TOOLONGCALL"],
    "TailNumbers": ["N301 DN", "N301DN;ET-AWO"],
    "LatitudeBetween": ["33.4", "33.4,91", "-91,0", "33.4;33.9", "a,b", "33.4,33.9,34"],
    "LongitudeBetween": ["-84.7", "-181,0", "0,180.5", "west,east"],
    "AltitudeBetween": ["0", "0-10000", "FL100,FL200"],
    "MaxAgeSeconds": ["0", "-1", "1.5", "60s"],
    "LateFilter": ["yes", "1"],
    "Compression": ["zstd"],
    "StartPosition": ["NOW", "latest"],
    "RecordFormat": ["envelopes", "ENVELOPE"],
    "StopWhenCaughtUp": ["yes", "1", "True"],
    "StreamDelayMinutes": ["-1", "721"],
    "UpdateProcessor": ["consumer.airborne", ":process", "consumer/airborne:process", "consumer..airborne:process"],
}
GOOD_HERE = {
    "ApiTokenSecretArn": ["", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:team/tracking-AbC123"],
    "ApiTokenKeyArn": ["", "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    "AlertPattern1": ['{"data":{"squawk":["7700"]}}'],
    "AlertPattern2": ["", '{ "data" : {"squawk":["7700"]} }'],
    "MetricsNamespace": ["AircraftStream", "Team/Aircraft_2"],
    "AlarmEmail": ["", "operator@example.com"],
    "AlertEmail": ["", "duty@example.com"],
    "PermissionsBoundaryArn": ["", "arn:aws:iam::123456789012:policy/team/boundary"],
    "KmsKeyArn": ["", "arn:aws:kms:eu-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"],
    "LambdaInsightsLayerArn": [
        "",
        "arn:aws:lambda:eu-west-1:580247275435:layer:LambdaInsightsExtension:55",
        "arn:aws-cn:lambda:cn-north-1:488211338238:layer:LambdaInsightsExtension-Arm64:2",
    ],
    "CodeSigningConfigArn": ["", "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdefg"],
    "SubnetIds": ["", "subnet-0a1b2c3d4e5f60718"],
    "SecurityGroupIds": ["", "sg-0a1b2c3d"],
    "Tracing": ["on", "off"],
    "AlertWebhook": ["", "https://hooks.example.com/services/T0/B0/x?y=z"],
    "AlertWebhookSecretArn": ["", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pager-AbC123"],
    "AlertWebhookSecretVersion": ["", "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"],
    "AlertWebhookBody": ['{"text": <$.body.Message>}'],
    "AlertsFanOut": ["on", "off"],
    "RetentionHours": ["24", "168"],
    "AlertsParallelization": ["1", "10"],
    "Watching": ["full", "lean"],
    "Schedule": ["1-minute", "15-minutes", "2-hours"],
}
BAD_HERE = {
    "RecordFormat": [""],
    "Airlines": [" DL", "DL,", "DL,,ET", "DL, ET"],
    "ApiTokenSecretArn": ["secret", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nosuffix", "eyJhbGciOi"],
    "ApiTokenKeyArn": ["alias/mine", "arn:aws:kms:eu-west-1:123456789012:alias/mine"],
    "AlertPattern1": ["", "squawk", '{"squawk":["7700"]}', '["data"]', '{"data":{\n"squawk":["7700"]}}'],
    "AlertPattern2": ["7700", '{"body":{"squawk":["7700"]}}', '{"data":{\n"squawk":["7700"]}}', '{\n"data":{}}', "\n"],
    "MetricsNamespace": ["", "AWS/Lambda", "two words"],
    "AlarmEmail": ["operator", "a@b", "a b@example.com"],
    "AlertEmail": ["duty", "a@b"],
    "PermissionsBoundaryArn": ["boundary", "arn:aws:iam::123456789012:role/boundary"],
    "KmsKeyArn": ["alias/mine", "arn:aws:kms:eu-west-1:123456789012:alias/mine", "1234abcd-12ab"],
    "LambdaInsightsLayerArn": ["LambdaInsightsExtension", "arn:aws:lambda:eu-west-1:580247275435:layer:other:1"],
    "CodeSigningConfigArn": ["csc-0123456789abcdefg"],
    "SubnetIds": ["vpc-0a1b2c3d", "subnet-XYZ"],
    "SecurityGroupIds": ["default"],
    "Tracing": ["Active", ""],
    "AlertWebhook": ["http://hooks.example.com/", "hooks.example.com", "https://hooks.example.com/a b"],
    "AlertWebhookSecretArn": ["pager"],
    "AlertWebhookSecretVersion": ["AWSCURRENT", "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE:"],
    "AlertWebhookBody": ["", '{"text": "fixed"}', "<$.body.Message>"],
    "AlertsFanOut": ["true"],
    "RetentionHours": ["12", "25", "8760"],
    "AlertsParallelization": ["0", "11"],
    "Watching": ["", "off", "Lean"],
    "Schedule": ["", "15", "rate(15 minutes)", "6-hours"],
}


def pairs(*tables):
    """Every name with each of its values."""
    return [(name, value) for table in tables for name, values in table.items() for value in values]


@pytest.fixture(scope="session")
def accepts(template):
    """What CloudFormation decides before it changes anything."""

    def decide(name, value):
        parameter = template["Parameters"][name]
        if "AllowedValues" in parameter and value not in [str(each) for each in parameter["AllowedValues"]]:
            return False
        if parameter["Type"] == "Number":
            number = float(value)
            return parameter.get("MinValue", number) <= number <= parameter.get("MaxValue", number)
        return re.fullmatch(parameter.get("AllowedPattern", ".*"), value) is not None

    return decide


@pytest.fixture
def consumer_accepts(resources):
    """What the consumer decides when it starts with the parameter's variable set so."""
    variables = resources["ConsumerFunction"]["Properties"]["Environment"]["Variables"]
    variable_of = {
        value["Ref"]: name for name, value in variables.items() if isinstance(value, dict) and "Ref" in value
    }

    def decide(name, value):
        names = ("API_TOKEN_SECRET_ARN", "STATE_BUCKET", "DATA_BUCKET", "UPDATES_STREAM_NAME")
        environment = dict.fromkeys(names, "given")
        environment["ALERT_PATTERNS"] = '{"data":{"squawk":["7700"]}}'
        try:
            Settings.from_environment({**environment, variable_of[name]: value})
        except ConfigurationError:
            return False
        return True

    return decide


@pytest.mark.parametrize(("name", "value"), pairs(GOOD, GOOD_HERE))
def test_takes(accepts, name, value):
    """A right value is deployed."""
    assert accepts(name, value)


@pytest.mark.parametrize(("name", "value"), pairs(BAD, BAD_HERE))
def test_refuses(accepts, name, value):
    """A wrong value is refused before anything is changed."""
    assert not accepts(name, value)


@pytest.mark.parametrize(("name", "value"), pairs(GOOD))
def test_the_consumer_takes_what_the_template_takes(consumer_accepts, name, value):
    """Nothing that can be deployed fails each run."""
    assert consumer_accepts(name, value)


@pytest.mark.parametrize(("name", "value"), pairs(BAD))
def test_the_consumer_refuses_what_the_template_refuses(consumer_accepts, name, value):
    """A variable changed by hand is checked as well as a parameter."""
    assert not consumer_accepts(name, value)


def test_every_parameter_says_what_it_is_for_and_its_default_is_valid(template, accepts):
    """A description each, a default each, a constraint's text for each pattern."""
    for name, parameter in template["Parameters"].items():
        assert len(parameter["Description"]) > 15, name
        assert accepts(name, str(parameter["Default"])), name
        if "AllowedPattern" in parameter or "MinValue" in parameter:
            assert parameter["ConstraintDescription"], name


def test_every_parameter_is_in_a_group(template):
    """The console shows each parameter under a heading, once."""
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(template["Parameters"])


def test_the_whole_feed_is_the_default(template, resources):
    """No filter is set unless somebody sets it."""
    variables = resources["ConsumerFunction"]["Properties"]["Environment"]["Variables"]
    filters = ["ICAO_ADDRESSES", "CALLSIGNS", "TAIL_NUMBERS", "AIRLINES", "LATITUDE_BETWEEN", "LONGITUDE_BETWEEN"]
    filters += ["ALTITUDE_BETWEEN", "MAX_AGE_SECONDS", "LATE_FILTER"]
    assert {template["Parameters"][variables[name]["Ref"]]["Default"] for name in filters} == {""}


def test_the_window_is_one_lambda_takes(template):
    """From a second to Lambda's bound of 900."""
    window = template["Parameters"]["WindowSeconds"]
    assert (window["MinValue"], window["Default"], window["MaxValue"]) == (1, 60, 900)
