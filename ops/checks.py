"""The checks of `ops doctor`: each reads a setting from AWS and compares it with the stack's template."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ops import key_check
from ops.duration import shown
from ops.errors import OpsError, is_gone
from ops.finding import ATTENTION, OK, REPAIR, SWITCH_ON, UNKNOWN, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ops.stack import Stack
    from ops.template import DeployedTemplate

_COMPARED = (
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
    "BisectBatchOnFunctionError",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
)
"""Settings of an event source mapping that are held against the template's."""

_CLOCK_SECONDS = 30.0
"""AWS refuses requests whose time is off by 5 minutes; ages on the screen are wrong long before."""

_PENDING = "PendingConfirmation"


class Checks:
    """The checks of one stack."""

    def __init__(self, stack: Stack, template: DeployedTemplate) -> None:
        self._stack = stack
        self._template = template

    def all(self) -> list[tuple[str, Callable[[], Iterator[Finding]]]]:
        """Return each check with the name of what it looks at."""
        return [
            ("deployment", self._deployment),
            ("token", self._token),
            ("schedule", self._schedule),
            ("mappings", self._mappings),
            ("permissions", self._permissions),
            ("retention", self._retention),
            ("key", self._key),
            ("quotas", self._quotas),
            ("alarms", self._alarms),
            ("subscriptions", self._subscriptions),
            ("clock", self._clock),
        ]

    def _deployment(self) -> Iterator[Finding]:
        [stack] = self._stack.client("cloudformation").describe_stacks(StackName=self._stack.name)["Stacks"]
        state = stack["StackStatus"]
        is_well = state.endswith("_COMPLETE") and "ROLLBACK" not in state
        do = "the last deployment failed: CloudFormation's events say why. Mend it and deploy again"
        yield Finding("deployment", OK if is_well else ATTENTION, state, "" if is_well else do)

    def _token(self) -> Iterator[Finding]:
        given = self._template.parameters.get("ApiTokenSecretArn")
        secret = given or self._stack["ApiTokenSecret"]
        try:
            described = self._stack.client("secretsmanager").describe_secret(SecretId=secret)
        except ClientError as error:
            if not given or not is_gone(error):
                raise
            yield Finding("token", ATTENTION, f"{given} is gone: every run fails", "name another in ApiTokenSecretArn")
            return
        versions = described.get("VersionIdsToStages", {}).values()
        if deleted := described.get("DeletedDate"):
            do = f"restore it: `aws secretsmanager restore-secret --secret-id {secret}`"
            yield Finding("token", ATTENTION, f"deleted on {deleted:%Y-%m-%d}: every run fails", do)
        elif any("AWSCURRENT" in stages for stages in versions):
            changed = described.get("LastChangedDate")
            yield Finding("token", OK, "set" + (f", changed {changed:%Y-%m-%d}" if changed else ""))
        else:
            do = f"pipenv run set-token {self._stack.name}"
            yield Finding("token", ATTENTION, "the secret has no value: every run fails", do)

    def _schedule(self) -> Iterator[Finding]:
        events = self._stack.client("events")
        name = self._stack["ConsumerSchedule"].rpartition("/")[2]
        rule = events.describe_rule(Name=name)
        targets = events.list_targets_by_rule(Rule=name)["Targets"]
        arn = self._stack.client("lambda").get_function_configuration(FunctionName=self._stack["ConsumerFunction"])[
            "FunctionArn"
        ]
        if rule["State"] != "ENABLED":
            yield Finding("schedule", ATTENTION, "off: no run begins", SWITCH_ON)
        elif not any(target["Arn"].startswith(arn) for target in targets):
            yield Finding("schedule", ATTENTION, "does not start the consumer: it has another target", REPAIR)
        else:
            yield Finding("schedule", OK, f"on, {rule.get('ScheduleExpression')}")

    def _mappings(self) -> Iterator[Finding]:
        client = self._stack.client("lambda")
        for logical_id, properties in self._template.of_type("AWS::Lambda::EventSourceMapping"):
            mapping = client.get_event_source_mapping(UUID=self._stack[logical_id])
            differing = [
                f"{name} is {mapping[name]}, the template says {wanted}"
                for name in _COMPARED
                if (wanted := self._template.value(properties.get(name))) is not None
                and name in mapping
                and str(mapping[name]).lower() != str(wanted).lower()
            ]
            if mapping.get("State") != "Enabled":
                text = f"{logical_id}: {mapping.get('State')}: {mapping.get('StateTransitionReason', '')}"
                yield Finding("mappings", ATTENTION, text, f"{REPAIR}, or enable it in Lambda's console")
            elif differing:
                text = f"{logical_id}: {'; '.join(differing)}"
                yield Finding("mappings", ATTENTION, text, f"changed by hand: {REPAIR}, or write it into the template")
            else:
                yield Finding("mappings", OK, f"{logical_id}: enabled, at its settings")

    def _permissions(self) -> Iterator[Finding]:
        """Compare each role's own policies with the template: a permission that was taken away by hand."""
        iam = self._stack.client("iam")
        missing = []
        # Those of a condition that is false are in the template, and were never made.
        roles = [one for one in self._template.of_type("AWS::IAM::Role") if one[0] in self._stack.resources]
        for logical_id, properties in roles:
            for policy in properties.get("Policies", []):
                document = iam.get_role_policy(RoleName=self._stack[logical_id], PolicyName=policy["PolicyName"])
                has = _actions(document["PolicyDocument"])
                lost = _actions(policy["PolicyDocument"]) - has
                missing += [f"{logical_id} lacks {', '.join(sorted(lost))}"] if lost else []
        if missing:
            yield Finding("permissions", ATTENTION, "; ".join(missing), f"changed by hand: {REPAIR}")
        else:
            yield Finding("permissions", OK, f"{len(roles)} roles have what the template gives them")

    def _retention(self) -> Iterator[Finding]:
        summary = self._stack.client("kinesis").describe_stream_summary(StreamName=self._stack["UpdatesStream"])
        hours = summary["StreamDescriptionSummary"]["RetentionPeriodHours"]
        properties = self._template.resources["UpdatesStream"]["Properties"]
        wanted = self._template.value(properties.get("RetentionPeriodHours"))
        ages = [
            int(age)
            for _, one in self._template.of_type("AWS::Lambda::EventSourceMapping")
            if (age := self._template.value(one.get("MaximumRecordAgeInSeconds"))) is not None
        ]
        longest = max(ages, default=0)
        text = f"the stream keeps {hours} hours; records are given up after {shown(longest)}"
        if wanted is not None and int(wanted) != hours:
            yield Finding("retention", ATTENTION, f"{text}; the template says {wanted} hours", REPAIR)
        elif longest >= hours * 3_600:
            do = "records go before they are given up: lower MaximumRecordAgeInSeconds, or keep the stream longer"
            yield Finding("retention", ATTENTION, text, do)
        else:
            yield Finding("retention", OK, text)

    def _key(self) -> Iterator[Finding]:
        if key := self._template.parameters.get("KmsKeyArn"):
            yield from key_check.check(self._stack, key)

    def _quotas(self) -> Iterator[Finding]:
        limits = self._stack.client("lambda").get_account_settings()["AccountLimit"]
        summary = self._stack.client("kinesis").describe_stream_summary(StreamName=self._stack["UpdatesStream"])
        shards = summary["StreamDescriptionSummary"]["OpenShardCount"]
        mappings = list(self._template.of_type("AWS::Lambda::EventSourceMapping"))
        factors = [int(self._template.value(one.get("ParallelizationFactor")) or 1) for _, one in mappings]
        needed = shards * sum(factors)
        free = limits["UnreservedConcurrentExecutions"]
        text = f"{needed} concurrent invocations needed by {shards} shards, {free:,} not reserved in this region"
        do = "ask AWS for a higher quota of concurrent executions (Service Quotas, Lambda), or take fewer shards"
        yield Finding("quotas", OK if needed <= free else ATTENTION, text, "" if needed <= free else do)

    def _alarms(self) -> Iterator[Finding]:
        names = {self._stack[one]: one for one in self._stack.resources if one.endswith("Alarm")}
        cloudwatch = self._stack.client("cloudwatch")
        listed: dict[str, Any] = {}
        for page in cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNames=sorted(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        ):
            listed |= {
                one["AlarmName"]: one for one in [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
            }
        gone = [names[name] for name in names if name not in listed]
        silent = [names[name] for name, one in listed.items() if not one.get("ActionsEnabled", True)]
        if gone:
            yield Finding("alarms", ATTENTION, f"gone: {', '.join(gone)}", f"deleted by hand: {REPAIR}")
        elif silent:
            do = "the schedule is off, or somebody disabled their actions: `aws cloudwatch enable-alarm-actions`"
            yield Finding("alarms", ATTENTION, f"tell nobody: {', '.join(silent)}", do)
        else:
            yield Finding("alarms", OK, f"{len(listed)} alarms are there and act")

    def _subscriptions(self) -> Iterator[Finding]:
        sns = self._stack.client("sns")
        for logical_id, what in (("OperationsTopic", "alarms"), ("AlertsTopic", "alerts")):
            pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._stack[logical_id])
            found = [one for page in pages for one in page["Subscriptions"]]
            pending = [one["Endpoint"] for one in found if one["SubscriptionArn"] == _PENDING]
            part = f"subscriptions to {what}"
            if pending:
                do = "open the mail from AWS Notifications and confirm; it is good for two days, then subscribe again"
                yield Finding(part, ATTENTION, f"not confirmed: {', '.join(pending)}", do)
            elif not found and logical_id == "OperationsTopic":
                yield Finding(
                    part, ATTENTION, "nobody: no alarm reaches anybody", "deploy with AlarmEmail, or subscribe"
                )
            elif not found:
                yield Finding(
                    part, UNKNOWN, "nobody", "right if alerts are read from the log, the API or the map alone"
                )
            else:
                yield Finding(part, OK, f"{len(found)}, all confirmed")

    def _clock(self) -> Iterator[Finding]:
        """Compare this machine's clock with AWS's, by the `Date` of an answer."""
        answer = self._stack.client("s3").head_bucket(Bucket=self._stack["StateBucket"])
        now = datetime.now(UTC)
        said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if said is None:
            raise OpsError("AWS's answer has no Date")
        ahead = (now - parsedate_to_datetime(said)).total_seconds()
        is_well = abs(ahead) <= _CLOCK_SECONDS
        text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} AWS's"
        yield Finding("clock", OK if is_well else ATTENTION, text, "" if is_well else "set this machine's clock (NTP)")


def _actions(document: Any) -> set[str]:
    """Return the actions a policy allows, conditional statements left out: their condition is CloudFormation's."""
    allowed: set[str] = set()
    if isinstance(document, str):
        raise OpsError("IAM's answer is not a policy that can be read")
    for statement in document.get("Statement", []):
        if isinstance(statement, dict) and statement.get("Effect") == "Allow":
            actions = statement["Action"]
            allowed |= {actions} if isinstance(actions, str) else set(actions)
    return allowed
