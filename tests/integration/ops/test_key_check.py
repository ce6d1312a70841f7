"""`ops doctor` on your own key: the policy that the page gives is enough, and what it lacks is named."""

from __future__ import annotations

import json
import re

import boto3
import pytest

from ops.key_check import check
from ops.stack import Stack

PAGE_AND_WEBHOOK = {"AlertWebhookQueue": "q", "PageDistribution": "d"}


@pytest.fixture
def policy(repository):
    """The key policy of docs/key.md, as it is there."""
    [text] = re.findall(r"```json\n(.*?)```", (repository / "docs/key.md").read_text(), re.DOTALL)
    return json.loads(text.replace("ACCOUNT", "123456789012").replace("REGION", "us-east-1"))


@pytest.fixture
def checked(aws):
    """Make a key with a policy and check it for a stack with these resources."""
    kms = boto3.client("kms", endpoint_url=aws)

    def make(policy, resources=None, *, enabled=True):
        key = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
        if not enabled:
            kms.disable_key(KeyId=key.rpartition("/")[2])
        [finding] = check(Stack("s", resources or {}, lambda _service: kms), key)
        return finding

    return make


def test_the_policy_of_the_page_lets_all_services_in(checked, policy):
    """CloudWatch, its logs, SNS on the way to the webhook, CloudFront for the page."""
    finding = checked(policy, PAGE_AND_WEBHOOK)
    assert (finding.state, finding.text) == ("ok", "enabled; its policy lets cloudwatch, logs, sns, cloudfront use it")


@pytest.mark.parametrize(
    ("service", "effect"),
    [
        ("cloudwatch", "no alarm reaches anybody"),
        ("logs", "no function logs"),
        ("sns", "no alert reaches the webhook"),
        ("cloudfront", "the page shows nothing"),
    ],
)
def test_a_service_that_is_not_let_in_is_named(checked, policy, service, effect):
    """With what comes of it; those who are not used are not asked for."""
    policy["Statement"] = [one for one in policy["Statement"] if service not in str(one["Principal"].get("Service"))]
    finding = checked(policy, PAGE_AND_WEBHOOK)
    assert (finding.state, finding.text) == ("attention", f"its policy does not let {service} use it: {effect}")
    assert (checked(policy).state == "ok") is (service in {"sns", "cloudfront"})


def test_a_key_that_is_disabled_stops_everything(checked, policy):
    """Whatever its policy says."""
    finding = checked(policy, enabled=False)
    assert finding.state == "attention"
    assert finding.text.endswith("is Disabled")
