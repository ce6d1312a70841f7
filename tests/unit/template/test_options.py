"""What is off unless a parameter asks for it: absent by default, whole and least-privileged when on."""

from __future__ import annotations

import pytest

from tests.support.resolved_template import ResolvedTemplate

SUBNETS, GROUPS = "subnet-0a1b2c3d4e5f60718,subnet-1a1b2c3d4e5f60718", "sg-0a1b2c3d4e5f60718"
LAYER = "arn:aws:lambda:eu-west-1:580247275435:layer:LambdaInsightsExtension-Arm64:20"
SIGNING = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdefg"
VPC = {"SubnetIds": SUBNETS, "SecurityGroupIds": GROUPS}


@pytest.fixture(scope="session")
def stack(repository):
    """A function that resolves the template with parameters."""
    return lambda **parameters: ResolvedTemplate(repository, parameters)


@pytest.fixture
def functions(stack):
    """A function that gives each function's properties, with parameters."""
    return lambda **parameters: stack(**parameters).properties("AWS::Lambda::Function")


def statements(stack):
    """What the policy of the runtime lets every function do, by statement id."""
    policies = stack.properties("AWS::IAM::ManagedPolicy")
    return {one["Sid"]: one for one in policies["RuntimePolicy"]["PolicyDocument"]["Statement"]}


def test_nothing_of_it_is_there_by_default(stack, functions):
    """No policy, reader, layer, network or signature that nobody asked for; no trace is recorded."""
    kinds = {one["Type"] for one in stack().resources().values()}
    assert not kinds & {
        "AWS::IAM::ManagedPolicy",
        "AWS::Kinesis::StreamConsumer",
        "AWS::SQS::Queue",
        "AWS::Pipes::Pipe",
    }
    for name, function in functions().items():
        assert not function.keys() & {"VpcConfig", "CodeSigningConfigArn"}, name
        assert function["TracingConfig"] == {"Mode": "PassThrough"}, name
        assert function["Layers"] == [], name
    assert {tuple(role["ManagedPolicyArns"]) for role in function_roles(stack()).values()} == {()}


def function_roles(stack):
    """The functions' roles."""
    roles = stack.properties("AWS::IAM::Role")
    trusting = "lambda.amazonaws.com"
    return {
        name: role
        for name, role in roles.items()
        if role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] == trusting
    }


def test_tracing_records_each_function_and_lets_it(stack, functions):
    """X-Ray knows no resources; what it takes are the two things that Lambda sends."""
    assert {one["TracingConfig"]["Mode"] for one in functions(Tracing="on").values()} == {"Active"}
    traced = stack(Tracing="on")
    [trace] = statements(traced).values()
    assert trace["Action"] == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    assert {tuple(role["ManagedPolicyArns"]) for role in function_roles(traced).values()} == {("RuntimePolicy",)}


def test_insights_is_the_layer_that_was_named(stack, functions):
    """Each function has it, and may write Insights' own log group and no other."""
    assert {tuple(one["Layers"]) for one in functions(LambdaInsightsLayerArn=LAYER).values()} == {(LAYER,)}
    [measure] = statements(stack(LambdaInsightsLayerArn=LAYER)).values()
    assert measure["Resource"].endswith(":log-group:/aws/lambda-insights:*")
    assert all(action.startswith("logs:") for action in measure["Action"])


def test_a_vpc_takes_all_functions_and_their_code_gets_no_hand_on_it(stack, functions):
    """Lambda attaches them; what runs in them is denied the same actions."""
    for function in functions(**VPC).values():
        assert function["VpcConfig"] == {
            "SubnetIds": SUBNETS.split(","),
            "SecurityGroupIds": [GROUPS],
            "Ipv6AllowedForDualStack": False,
        }
        assert function["Environment"]["Variables"]["AWS_USE_DUALSTACK_ENDPOINT"] == "false"
    said = statements(stack(**VPC))
    assert said.keys() == {"AttachToTheVpc", "NotByTheCode"}
    assert (said["NotByTheCode"]["Effect"], said["NotByTheCode"]["Action"]) == (
        "Deny",
        said["AttachToTheVpc"]["Action"],
    )
    assert "lambda:SourceFunctionArn" in said["NotByTheCode"]["Condition"]["ArnLike"]


def test_ipv6_goes_out_of_the_vpc_and_to_addresses_that_have_it(functions):
    """Without dual-stack addresses no call to AWS would use it."""
    for function in functions(**VPC, VpcIpv6="true").values():
        assert function["VpcConfig"]["Ipv6AllowedForDualStack"] is True
        assert function["Environment"]["Variables"]["AWS_USE_DUALSTACK_ENDPOINT"] == "true"


def test_subnets_without_security_groups_are_refused(template):
    """A function in a VPC needs both; CloudFormation says so before it changes anything."""
    rule = template["Rules"]["SubnetsHaveSecurityGroups"]
    assert rule["RuleCondition"] == template["Conditions"]["HasVpc"]
    [assertion] = rule["Assertions"]
    assert "SecurityGroupIds" in str(assertion["Assert"])


def test_signed_code_is_asked_of_every_function(functions):
    """One that took any zip would be the way in."""
    assert {one["CodeSigningConfigArn"] for one in functions(CodeSigningConfigArn=SIGNING).values()} == {SIGNING}


def test_fan_out_gives_the_alerts_a_reader_and_nobody_else(stack):
    """Its mapping reads by it, its role may; the aggregator polls as ever."""
    fanned = stack(AlertsFanOut="on")
    [reader] = fanned.properties("AWS::Kinesis::StreamConsumer").values()
    assert reader["StreamARN"] == "arn:UpdatesStream"
    mappings = fanned.properties("AWS::Lambda::EventSourceMapping")
    sources = {name: one["EventSourceArn"] for name, one in mappings.items()}
    assert sources == {"AlertsFunctionUpdates": "AlertsReader", "AggregatorFunctionUpdates": "arn:UpdatesStream"}
    granted = {
        name: [one for one in role["Policies"][0]["PolicyDocument"]["Statement"] if one.get("Sid") == "ReadByItself"]
        for name, role in fanned.properties("AWS::IAM::Role").items()
    }
    assert [name for name, found in granted.items() if found] == ["AlertsRole"]
    assert granted["AlertsRole"][0]["Action"] == ["kinesis:DescribeStreamConsumer", "kinesis:SubscribeToShard"]
    assert granted["AlertsRole"][0]["Resource"] == "AlertsReader"


WEBHOOK = "https://hooks.example.com/services/T0/B0/x"
PAGER = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pager-AbC123"


def test_the_webhook_gets_each_alert_and_what_it_does_not_take_is_kept(stack):
    """From the topic into a queue, from there to the address; after twenty attempts into another queue, for 14 days."""
    resources = stack(AlertWebhook=WEBHOOK).resources()
    of = {name: one["Properties"] for name, one in resources.items()}
    assert of["AlertWebhookSubscription"]["TopicArn"] == "AlertsTopic"
    assert of["AlertWebhookSubscription"]["Endpoint"] == of["AlertWebhookPipe"]["Source"] == "arn:AlertWebhookQueue"
    assert of["AlertWebhookPipe"]["Target"] == "arn:AlertWebhookDestination"
    assert of["AlertWebhookPipe"]["TargetParameters"] == {"InputTemplate": '{"text": <$.body.Message>}'}
    assert of["AlertWebhookDestination"]["InvocationEndpoint"] == WEBHOOK
    kept = of["AlertWebhookQueue"]["RedrivePolicy"]
    assert kept == {"deadLetterTargetArn": "arn:AlertWebhookFailures", "maxReceiveCount": 20}
    assert of["AlertWebhookFailures"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    [alarmed] = of["AlertWebhookAlarm"]["Dimensions"]
    assert alarmed == {"Name": "QueueName", "Value": "AlertWebhookFailures.QueueName"}
    assert of["AlertWebhookQueue"]["SqsManagedSseEnabled"] is of["AlertWebhookFailures"]["SqsManagedSseEnabled"] is True


def test_only_this_stacks_topic_may_fill_the_webhooks_queue(stack):
    """And the pipe may take from it, and post to the one address."""
    resources = stack(AlertWebhook=WEBHOOK).resources()
    [statement] = resources["AlertWebhookQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": "AlertsTopic"}}
    [policy] = resources["AlertWebhookRole"]["Properties"]["Policies"]
    granted = {one["Resource"]: one["Action"] for one in policy["PolicyDocument"]["Statement"]}
    assert granted == {
        "arn:AlertWebhookQueue": ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        "arn:AlertWebhookDestination": "events:InvokeApiDestination",
    }


@pytest.mark.parametrize(
    ("secret", "header"),
    [("", ("X-Posted-By", "local")), (PAGER, ("Authorization", f"{{{{resolve:secretsmanager:{PAGER}}}}}"))],
)
def test_the_webhooks_secret_is_in_no_parameter(stack, template, secret, header):
    """Its ARN is; the value goes from Secrets Manager into the connection. Address and body are shown nowhere."""
    made = stack(AlertWebhook=WEBHOOK, AlertWebhookSecretArn=secret).properties("AWS::Events::Connection")
    key = made["AlertWebhookConnection"]["AuthParameters"]["ApiKeyAuthParameters"]
    assert (key["ApiKeyName"], key["ApiKeyValue"]) == header
    assert all(template["Parameters"][name]["NoEcho"] for name in ("AlertWebhook", "AlertWebhookBody"))


def test_another_version_of_the_webhooks_secret_is_another_reference(stack):
    """CloudFormation reads a secret again only where the reference to it has changed."""

    def value(version):
        made = stack(AlertWebhook=WEBHOOK, AlertWebhookSecretArn=PAGER, AlertWebhookSecretVersion=version)
        connection = made.properties("AWS::Events::Connection")["AlertWebhookConnection"]
        return connection["AuthParameters"]["ApiKeyAuthParameters"]["ApiKeyValue"]

    version = "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"
    assert value("") == f"{{{{resolve:secretsmanager:{PAGER}}}}}"
    assert value(version) == f"{{{{resolve:secretsmanager:{PAGER}:SecretString:::{version}}}}}"


KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EVERYTHING = {"AlertWebhook": WEBHOOK, "PageAccess": "open-to-everyone"}
STORES = {
    "AWS::S3::Bucket": ("aws:kms", "BucketKeyEnabled"),
    "AWS::Kinesis::Stream": ("StreamEncryption",),
    "AWS::KinesisFirehose::DeliveryStream": ("CUSTOMER_MANAGED_CMK", "KinesisStreamAsSource"),
    "AWS::DynamoDB::Table": ("SSESpecification",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
    "AWS::Athena::WorkGroup": ("SSE_KMS",),
}
"""What stores something, and one of which words says that it is under the key; Firehose's buffer in front of a stream
is the stream's."""


def test_all_that_stores_something_is_under_the_key(stack):
    """And without one the key is nowhere, nor is a word of KMS in a role."""
    keyed = stack(KmsKeyArn=KEY, **EVERYTHING).resources()
    for name, one in keyed.items():
        if one["Type"] in STORES:
            text = str(one["Properties"])
            assert any(word in text for word in STORES[one["Type"]]), name
            assert KEY in text or "KinesisStreamAsSource" in text, name
            assert "SqsManagedSseEnabled" not in text, name
    assert STORES.keys() <= {one["Type"] for one in keyed.values()}
    assert not [name for name, one in keyed.items() if one["Type"] == "AWS::KMS::Key"]
    without = stack(**EVERYTHING)
    assert [one["Type"] for one in without.resources().values()].count("AWS::KMS::Key") == 1
    assert "kms:" not in str(without.properties("AWS::IAM::Role"))


def test_a_role_uses_the_key_through_one_service_for_what_it_has_business_with(stack):
    """Each grant names service and resource. Which, the run under a key shows; Firehose and pipe have none."""
    granted = {}
    for name, role in stack(KmsKeyArn=KEY, **EVERYTHING).properties("AWS::IAM::Role").items():
        for one in role["Policies"][0]["PolicyDocument"]["Statement"]:
            if "kms:" in str(one["Action"]):
                assert one["Resource"] == KEY
                [service] = one["Condition"]["StringLike"].values()
                [(context, resource)] = one["Condition"]["StringEquals"].items()
                assert context.startswith("kms:EncryptionContext:")
                granted.setdefault(name, {})[service.partition(".")[0]] = (one["Action"], resource)
    assert len(granted) == 10
    both = ["kms:Decrypt", "kms:GenerateDataKey"]
    assert granted["WindowRowsRole"] == granted["ReprocessRole"] == {"s3": (both, "arn:DataBucket")}
    assert granted["RawArchiveRole"] == granted["WindowRowsRole"] | {"kinesis": ("kms:Decrypt", "arn:UpdatesStream")}
    assert granted["AlertWebhookRole"] == {"sqs": ("kms:Decrypt", "arn:AlertWebhookQueue")}
    assert granted["ApiRole"] == {"s3": ("kms:Decrypt", "arn:DataBucket")}


def test_a_secret_that_was_given_keeps_its_own_key(stack):
    """`ApiTokenKeyArn` is for it."""
    given = stack(KmsKeyArn=KEY, ApiTokenSecretArn=PAGER).properties("AWS::IAM::Role")["ConsumerRole"]
    assert "secretsmanager.us-east-1" not in str(given)


def test_the_template_is_far_from_cloudformations_limits(template, repository, stack):
    """1 MB, 500 resources, 200 parameters (CloudFormation quotas); all options on."""
    assert (repository / "template.yaml").stat().st_size < 500_000
    assert len(template["Parameters"]) < 100
    assert len(stack().resources()) < 250
