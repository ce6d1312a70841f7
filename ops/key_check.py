"""Whether your own KMS key lets AWS services use it: they have no role in the stack, and fail silently."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ops.errors import is_gone
from ops.finding import ATTENTION, OK, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ops.stack import Stack

_ALWAYS = {"cloudwatch": "no alarm reaches anybody", "logs": "no function logs"}
_BY_RESOURCE = {
    "AlertWebhookQueue": ("sns", "no alert reaches the webhook"),
    "PageDistribution": ("cloudfront", "the page shows nothing"),
}


def check(stack: Stack, key: str) -> Iterator[Finding]:
    """Yield what is wrong with the key, or that nothing is; `key` is its ARN."""
    client = stack.client("kms")
    try:
        state = client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    except ClientError as error:
        if not is_gone(error):
            raise
        yield Finding("key", ATTENTION, f"{key} is gone, and all that is under it", "name another in KmsKeyArn")
        return
    if state != "Enabled":
        do = "enable it, or cancel its deletion, in KMS: what is under it can be neither read nor written"
        yield Finding("key", ATTENTION, f"{key} is {state}", do)
        return
    needed = _ALWAYS | dict(found for resource, found in _BY_RESOURCE.items() if resource in stack.resources)
    admitted = _services(json.loads(client.get_key_policy(KeyId=key, PolicyName="default")["Policy"]))
    missing = {name: effect for name, effect in needed.items() if name not in admitted}
    if missing:
        text = "; ".join(f"its policy does not let {name} use it: {effect}" for name, effect in missing.items())
        yield Finding("key", ATTENTION, text, "add the statements of docs/key.md to the key's policy")
    else:
        yield Finding("key", OK, f"enabled; its policy lets {', '.join(needed)} use it")


def _services(policy: Mapping[str, Any]) -> set[str]:
    """Return the services that a key's policy allows something, by the first part of their names."""
    principals = [
        one["Principal"].get("Service", [])
        for one in policy["Statement"]
        if one["Effect"] == "Allow" and isinstance(one.get("Principal"), dict)
    ]
    names = [name for one in principals for name in ([one] if isinstance(one, str) else one)]
    return {name.partition(".")[0] for name in names}
