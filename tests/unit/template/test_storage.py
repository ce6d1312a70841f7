"""Buckets, tables, the stream, topics and the secret: private, encrypted, and not kept for ever."""

from __future__ import annotations

import re

import pytest


@pytest.fixture(params=["StateBucket", "DataBucket", "FailuresBucket", "PageBucket"])
def bucket_id(request):
    """Each bucket's logical id."""
    return request.param


@pytest.fixture
def bucket(bucket_id, resources):
    """The bucket as declared."""
    return resources[bucket_id]


def test_every_bucket_is_looked_at(of_type):
    """The tests below know all buckets."""
    assert of_type("AWS::S3::Bucket").keys() == {"StateBucket", "DataBucket", "FailuresBucket", "PageBucket"}


def test_a_bucket_is_private_and_encrypted(bucket):
    """No public access of any kind, no ACLs, encryption at rest."""
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    [rule] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["Fn::If"][2]["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_a_bucket_refuses_plain_http(bucket_id, of_type):
    """Every request without TLS is denied, on the bucket and its objects."""
    [policy] = [each for each in of_type("AWS::S3::BucketPolicy").values() if each["Bucket"] == {"Ref": bucket_id}]
    statement, *_ = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [{"Fn::GetAtt": [bucket_id, "Arn"]}, {"Fn::Sub": f"${{{bucket_id}.Arn}}/*"}]


def test_a_bucket_outlives_the_stack(bucket):
    """Data is not deleted by deleting or changing the stack; a creation that failed leaves nothing."""
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert bucket["UpdateReplacePolicy"] == "Retain"


def test_nothing_is_kept_for_ever(bucket, bucket_id):
    """Incomplete uploads go, and every prefix that grows expires; the page's files do not grow."""
    rules = {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}
    assert rules["abort-incomplete-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert any("ExpirationInDays" in rule for rule in rules.values()) or bucket_id == "PageBucket"


def test_the_checkpoint_is_versioned_and_its_versions_expire(resources):
    """A broken checkpoint can be put right for as long as an older one is of use."""
    properties = resources["StateBucket"]["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    [rule] = [each for each in properties["LifecycleConfiguration"]["Rules"] if each.get("Prefix") == "checkpoint.json"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] >= 1
    assert "ExpirationInDays" not in rule  # the checkpoint itself never expires


def test_what_a_redrive_deleted_can_be_had_back_for_days(resources):
    """The failures bucket keeps old versions for a week, and they do not keep it from forgetting in the end."""
    properties = resources["FailuresBucket"]["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    [rule] = [each for each in properties["LifecycleConfiguration"]["Rules"] if each["Id"] == "expire-failures"]
    assert "Prefix" not in rule
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert rule["ExpirationInDays"] == 90  # it removes the markers of deleted objects, too


def test_archives_write_where_their_prefixes_expire(of_type, resources):
    """What Firehose writes lies under a prefix that has a lifecycle rule and that its role may write."""
    rules = resources["DataBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule]
    for name, stream in of_type("AWS::KinesisFirehose::DeliveryStream").items():
        destination = stream["ExtendedS3DestinationConfiguration"]
        role = resources[destination["RoleARN"]["Fn::GetAtt"][0]]["Properties"]["Policies"][0]["PolicyDocument"]
        [write] = [each for each in role["Statement"] if each.get("Sid") == "WriteObjects"]
        writable = [re.sub(r"^\$\{DataBucket\.Arn\}/|\*$", "", each["Fn::Sub"]) for each in write["Resource"]]
        for prefix in (destination["Prefix"], destination["ErrorOutputPrefix"]):
            assert prefix.startswith(tuple(expiring)), (name, prefix)
            assert prefix.startswith(tuple(writable)), (name, prefix)
        assert destination["CompressionFormat"] == "GZIP"
        assert destination["CloudWatchLoggingOptions"]["Enabled"] is True


def test_the_design_names_what_the_data_bucket_holds(repository, resources):
    """Each folder that expires by itself, in the bucket's line of the table of resources."""
    rules = resources["DataBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    folders = {rule["Prefix"].partition("/")[0] for rule in rules if "Prefix" in rule}
    [line] = re.findall(r"^\| `DataBucket` .*$", (repository / "docs/design.md").read_text(), re.MULTILINE)
    assert {folder for folder in folders if f"`{folder}/`" not in line} == set()


@pytest.mark.parametrize(
    ("table", "key"), [("AircraftTable", "icao_address"), ("SuppressionTable", "rule_and_aircraft")]
)
def test_a_table_is_paid_per_request_and_forgets(resources, table, key):
    """Keyed as the functions write it, with a time to live."""
    properties = resources[table]["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["KeySchema"] == [{"AttributeName": key, "KeyType": "HASH"}]
    assert properties["AttributeDefinitions"] == [{"AttributeName": key, "AttributeType": "S"}]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_the_stream_is_encrypted_and_sized_by_parameter(resources):
    """On demand has no shard count; provisioned has the parameter's."""
    properties = resources["UpdatesStream"]["Properties"]
    key = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, "alias/aws/kinesis"]}
    assert properties["StreamEncryption"] == {"EncryptionType": "KMS", "KeyId": key}
    assert properties["StreamModeDetails"] == {"StreamMode": {"Ref": "StreamMode"}}
    assert properties["ShardCount"] == {"Fn::If": ["IsProvisioned", {"Ref": "ShardCount"}, {"Ref": "AWS::NoValue"}]}


def test_topics_are_encrypted_by_keys_their_publishers_may_use(of_type, resources):
    """CloudWatch may not use the AWS managed key for SNS: alarms need a key whose policy lets it."""
    topics = of_type("AWS::SNS::Topic")
    keys = {name: topic["KmsMasterKeyId"]["Fn::If"][2] for name, topic in topics.items()}
    assert keys == {"AlertsTopic": "alias/aws/sns", "OperationsTopic": {"Ref": "OperationsKey"}}
    policy = resources["OperationsKey"]["Properties"]["KeyPolicy"]["Statement"]
    [alarms] = [each for each in policy if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert {"kms:Decrypt", "kms:GenerateDataKey*"} == set(alarms["Action"])


def test_the_token_stands_nowhere(template, resources):
    """The secret is made without a value, and no parameter or variable takes the token itself."""
    secret = resources["ApiTokenSecret"]["Properties"]
    assert not {"SecretString", "GenerateSecretString"} & secret.keys()
    about_token = [name for name in template["Parameters"] if "token" in name.lower()]
    assert about_token == ["ApiTokenSecretArn", "ApiTokenKeyArn"]
    variables = resources["ConsumerFunction"]["Properties"]["Environment"]["Variables"]
    assert [name for name in variables if "TOKEN" in name] == ["API_TOKEN_SECRET_ARN"]


def test_the_secret_is_made_only_when_none_is_given(resources, template):
    """The consumer gets the given ARN, or the made one's."""
    assert resources["ApiTokenSecret"]["Condition"] == "CreatesApiTokenSecret"
    assert template["Conditions"]["CreatesApiTokenSecret"] == {"Fn::Equals": [{"Ref": "ApiTokenSecretArn"}, ""]}
    variables = resources["ConsumerFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["API_TOKEN_SECRET_ARN"] == {
        "Fn::If": ["CreatesApiTokenSecret", {"Ref": "ApiTokenSecret"}, {"Ref": "ApiTokenSecretArn"}]
    }
