"""Making of `template.yaml` what the local AWS can create."""

from __future__ import annotations

import json

import pytest

from local.aws.template import DELIVERY_STREAM, EVENT_INVOKE_CONFIG, SECRET, TemplateError, localise, translate

KNOWN = {"AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::IAM::Role", "AWS::SNS::Topic"}
SECRETS = {"Token": "arn:aws:secretsmanager:us-east-1:123456789012:secret:Token-abcdef"}


def _localise(resources, known=KNOWN):
    return localise({"Resources": resources}, known, "stack", SECRETS)


def _function(**variables):
    return {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": variables}}}


ROWS = {
    "Type": DELIVERY_STREAM,
    "Properties": {
        "DeliveryStreamType": "DirectPut",
        "ExtendedS3DestinationConfiguration": {"BucketARN": {"Fn::GetAtt": ["Data", "Arn"]}, "Prefix": "windows/"},
    },
}
UNKNOWN_EVENT = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      Events: {E: {Type: Nonsense, Properties: {}}}
"""
ROWS_ARN = "arn:aws:firehose:us-east-1:123456789012:deliverystream/stack-Rows"


def test_a_key_loses_its_tags():
    """Moto's KMS spells a tag's name in another way than CloudFormation, and fails at it; nothing here reads them."""
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}, "Tags": [{"Key": "stack", "Value": "s"}]}}
    local = _localise({"Key": key}, {"AWS::KMS::Key"})
    assert local.body["Resources"]["Key"]["Properties"] == {"KeyPolicy": {}}


def test_references_to_what_is_taken_out_become_its_names():
    """Ref, GetAtt and Sub all lead to the delivery stream that is made beside the stack."""
    local = _localise(
        {
            "Rows": ROWS,
            "Function": _function(
                NAME={"Ref": "Rows"},
                ARN={"Fn::GetAtt": ["Rows", "Arn"]},
                TEXT={"Fn::Sub": "${Rows.Arn}/${Rows}/${AWS::Region}/${Data}"},
                WITH={"Fn::Sub": ["${X}/${Rows}", {"X": {"Ref": "Rows"}}]},
            ),
        }
    )
    assert local.body["Resources"].keys() == {"Function"}
    variables = local.body["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert variables == {
        "NAME": "stack-Rows",
        "ARN": ROWS_ARN,
        "TEXT": {"Fn::Sub": f"{ROWS_ARN}/stack-Rows/${{AWS::Region}}/${{Data}}"},
        "WITH": {"Fn::Sub": ["${X}/stack-Rows", {"X": "stack-Rows"}]},
    }


def test_what_a_taken_over_resource_refers_to_is_asked_of_the_stack():
    """CloudFormation itself resolves the properties, as outputs: no second resolver is written here."""
    local = _localise({"Rows": ROWS})
    (rows,) = local.of_type(DELIVERY_STREAM)
    output = rows.outputs["ExtendedS3DestinationConfiguration.BucketARN"]
    assert local.body["Outputs"][output] == {"Value": {"Fn::GetAtt": ["Data", "Arn"]}}


def test_a_condition_goes_with_the_outputs():
    """Where the condition is false the outputs are missing, and the resource is not made."""
    local = _localise({"Rows": ROWS | {"Condition": "Wanted"}})
    assert {one["Condition"] for one in local.body["Outputs"].values()} == {"Wanted"}


def test_a_secret_stands_in_with_its_real_arn():
    """The secret was made before the stack: its ARN ends in characters nobody can know."""
    local = _localise({"Token": {"Type": SECRET, "Properties": {}}, "Function": _function(ARN={"Ref": "Token"})})
    assert local.body["Resources"]["Function"]["Properties"]["Environment"]["Variables"]["ARN"] == SECRETS["Token"]


def test_a_delivery_stream_that_reads_from_kinesis_is_taken_over():
    """Moto's Firehose takes records by PutRecord alone: the local stack reads for it, and needs its settings."""
    source = {"KinesisStreamSourceConfiguration": {"KinesisStreamARN": {"Fn::GetAtt": ["Stream", "Arn"]}}}
    local = _localise({"Archive": {"Type": DELIVERY_STREAM, "Properties": source}})
    (archive,) = local.of_type(DELIVERY_STREAM)
    assert list(archive.outputs) == ["KinesisStreamSourceConfiguration.KinesisStreamARN"]


def test_an_unknown_type_is_left_out_and_nothing_depends_on_it_any_more():
    """A dependency on what is not there would keep the rest from being created."""
    bucket = {"Type": "AWS::S3::Bucket", "DependsOn": ["Alarm", "Topic"]}
    local = _localise(
        {"Alarm": {"Type": "AWS::CloudWatch::Alarm"}, "Data": bucket, "Topic": {"Type": "AWS::SNS::Topic"}}
    )
    assert [one.logical_id for one in local.left_out] == ["Alarm"]
    assert local.body["Resources"]["Data"]["DependsOn"] == ["Topic"]


def test_the_translated_template_is_left_as_it_was():
    """Localising works on a copy."""
    translated = {"Resources": {"Rows": ROWS, "Function": _function(NAME={"Ref": "Rows"})}}
    before = json.dumps(translated)
    localise(translated, KNOWN, "stack", SECRETS)
    assert json.dumps(translated) == before


def test_the_real_template_translates(repository):
    """The serverless resources become what CloudFormation knows, the schedule and its queue's settings among them."""
    types = {one["Type"] for one in translate(repository / "template.yaml")["Resources"].values()}
    assert not any(one.startswith("AWS::Serverless::") for one in types)
    assert {"AWS::Lambda::EventSourceMapping", "AWS::Events::Rule", EVENT_INVOKE_CONFIG} <= types


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Resources: [", "is no YAML"),
        ("just text", "has no section Resources"),
        ("Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {}}}", "[F] is invalid"),
        (UNKNOWN_EVENT, "[F] is invalid"),
    ],
    ids=["no YAML", "no resources", "no handler", "unknown event"],
)
def test_a_template_that_does_not_translate_is_refused(tmp_path, text, says):
    """The error names the file and, where there is one, the resource."""
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError) as refused:
        translate(path)
    assert str(path) in str(refused.value)
    assert says in str(refused.value)


def test_a_template_that_is_not_there_is_named(tmp_path):
    """The commonest cause, the wrong folder, is said as well."""
    with pytest.raises(TemplateError, match=r"template\.yaml: cannot be read: No such file.*repository's folder"):
        translate(tmp_path / "template.yaml")
