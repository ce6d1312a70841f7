"""Alarms and dashboard: every alarm reaches the operator and names a page that is there."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.cost import model as cost
from tests.support.cloudwatch import ALARM, OK, Metrics, state
from tests.support.resolved_template import ResolvedTemplate


@pytest.fixture
def alarms(of_type):
    """All alarms on metrics, by logical id."""
    return of_type("AWS::CloudWatch::Alarm")


@pytest.fixture
def composites(of_type):
    """All alarms put together from others, by logical id."""
    return of_type("AWS::CloudWatch::CompositeAlarm")


@pytest.fixture(scope="session")
def own_metrics(repository):
    """The functions' own metrics, as docs/design.md lists them."""
    [paragraph] = re.findall(
        r"^Metrics have the dimension.*?\n\n", (repository / "docs/design.md").read_text(), re.MULTILINE | re.DOTALL
    )
    return set(re.findall(r"`([A-Z]\w+)`", paragraph))


def page_of(alarm):
    """The runbook page an alarm's description names."""
    return re.search(r"Runbook (docs/operations/[a-z-]+\.md)$", alarm["AlarmDescription"])


def put_together_from(composite):
    """The alarms a rule names."""
    return set(re.findall(r'ALARM\("\$\{(\w+)\}"\)', composite["AlarmRule"]["Fn::Sub"]))


def metrics_of(alarm):
    """The metrics an alarm watches, by itself or in an expression."""
    return [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one] or [alarm]


def test_every_alarm_names_a_page_that_is_there(alarms, composites, repository):
    """The description ends with the runbook's path."""
    for name, alarm in (alarms | composites).items():
        page = page_of(alarm)
        assert page, name
        assert (repository / page[1]).is_file(), name


def test_every_page_belongs_to_an_alarm_or_a_planned_change(alarms, composites, repository):
    """No page is left over from an alarm that has gone."""
    pages = {path.name for path in (repository / "docs/operations").glob("*.md")} - {"README.md"}
    index = (repository / "docs/operations/README.md").read_text()
    [planned] = re.findall(r"^Changes that are planned:.*?\n\n", index, re.MULTILINE | re.DOTALL)
    of_alarms = {page_of(alarm)[1].rpartition("/")[2] for alarm in (alarms | composites).values()}
    assert pages == of_alarms | set(re.findall(r"\(([a-z-]+\.md)\)", planned))


def test_a_page_names_its_alarms(alarms, composites, repository):
    """Who comes from the mail finds the alarm's name on the page, and on the index."""
    index = (repository / "docs/operations/README.md").read_text()
    for name, alarm in (alarms | composites).items():
        assert f"`{name}`" in (repository / page_of(alarm)[1]).read_text(), name
        assert f"`{name}`" in index, name


def test_links_between_pages_lead_somewhere(repository):
    """No link of the runbooks is dead."""
    folder = repository / "docs/operations"
    for page in folder.glob("*.md"):
        for target in re.findall(r"\]\(([a-zA-Z-]+\.md)", page.read_text()):
            assert (folder / target).is_file(), (page.name, target)


def test_every_alarm_reaches_the_operator(alarms, composites):
    """When it begins and when it is over: by itself, or by one that is put together from it, never both."""
    to_the_operator = [{"Ref": "OperationsTopic"}]
    telling = {name: one for name, one in (alarms | composites).items() if "AlarmActions" in one}
    assert all(one["AlarmActions"] == one["OKActions"] == to_the_operator for one in telling.values())
    told_by_others = set().union(*(put_together_from(one) for name, one in composites.items() if name in telling))
    assert told_by_others == alarms.keys() - telling.keys()
    assert composites.keys() - telling.keys() == {"CauseKnownAlarm"}


def test_what_is_put_together_is_of_alarms_that_are_made_with_it(composites, resources, template):
    """A rule that names an alarm of another condition would fail the deployment."""

    def implied(condition):
        parts = template["Conditions"].get(condition, {}).get("Fn::And", ())
        return {condition, *(part["Condition"] for part in parts if "Condition" in part)}

    for name, composite in composites.items():
        named = put_together_from(composite)
        assert len(named) >= 2, name
        for one in named:
            assert resources[one].get("Condition") in {None, *implied(resources[name].get("Condition"))}, (name, one)


def test_a_consequence_is_silent_while_its_cause_sounds(composites):
    """The two promises' alarms have one suppressor, of alarms that each tell by themselves."""
    suppressed = {name for name, one in composites.items() if "ActionsSuppressor" in one}
    assert suppressed == {"FreshnessAlarm", "WindowedAlarm"}
    for name in suppressed:
        assert composites[name]["ActionsSuppressor"] == {"Fn::GetAtt": ["CauseKnownAlarm", "Arn"]}
    assert not put_together_from(composites["CauseKnownAlarm"]) & {
        f"{promise}{span}Alarm" for promise in ("Freshness", "Windowed") for span in ("Hour", "Minutes")
    }


def test_the_index_says_which_stacks_have_the_alarms_on_promises(template, repository):
    """Each parameter that leaves them out, with the value that has them; but for Watching, which has its own words."""
    text = " ".join((repository / "docs/operations/README.md").read_text().split())
    asked = [one["Fn::Equals"] for one in template["Conditions"]["WatchesPromises"]["Fn::And"] if "Fn::Equals" in one]
    assert len(asked) == 3
    for reference, value in asked:
        assert re.search(rf"`{reference['Ref']}` is `?{value}\b", text), reference


@pytest.mark.parametrize(("promise", "budget", "rate"), [("Freshness", 5, 6), ("Windowed", 1, 14.4)])
def test_a_burn_rate_alarm_has_two_windows_and_one_threshold(alarms, promise, budget, rate):
    """An hour and five minutes; beyond so many times what may be bad, in percent."""
    spans = []
    for span in ("Hour", "Minutes"):
        alarm = alarms[f"{promise}{span}Alarm"]
        periods = {stat["Period"] for one in alarm.get("Metrics", ()) if (stat := one.get("MetricStat"))}
        spans.append((periods or {alarm["Period"]}).pop() * alarm["EvaluationPeriods"])
        beyond = alarm["Threshold"] if promise == "Windowed" else 100 - alarm["Threshold"]
        assert beyond == pytest.approx(budget * rate)
    assert spans == [3_600, 300]


def test_missing_data_is_decided_for_every_alarm(alarms):
    """Two take silence for a failure: no commit, or no run of the archive, no metric."""
    breaching = {name for name, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"}
    assert breaching == {"CommittedTokenAgeAlarm", "ArchiveBehindAlarm"}
    assert {alarm["TreatMissingData"] for alarm in alarms.values()} == {"breaching", "notBreaching"}


def test_a_stopped_schedule_silences_the_alarm_on_silence(alarms, composites):
    """A consumer, or an archive, that was switched off on purpose raises no alarm."""
    assert composites["ConsumerAlarm"]["ActionsEnabled"] == {"Fn::If": ["IsScheduled", True, False]}
    assert alarms["ArchiveBehindAlarm"]["ActionsEnabled"] == {"Fn::If": ["IsArchived", True, False]}


def test_alarms_watch_metrics_the_functions_write(alarms, own_metrics):
    """A name of our own namespace is one of the design's, with the dimension `service` alone."""
    ours = [
        (name, metric)
        for name, alarm in alarms.items()
        for metric in metrics_of(alarm)
        if metric["Namespace"] == {"Ref": "MetricsNamespace"}
    ]
    assert len(ours) >= 5
    for name, metric in ours:
        assert metric["MetricName"] in own_metrics, name
        assert [each["Name"] for each in metric["Dimensions"]] == ["service"], name


def test_the_alerts_alarm_hears_of_records_that_fail(alarms):
    """A batch that names what failed is no error to Lambda, so errors alone would stay at 0 while SNS refuses all."""
    watched = {metric["MetricName"]: metric["Dimensions"] for metric in metrics_of(alarms["AlertsErrorsAlarm"])}
    assert watched == {
        "Errors": [{"Name": "FunctionName", "Value": {"Ref": "AlertsFunction"}}],
        "RecordsFailed": [{"Name": "service", "Value": "alerts"}],
    }


def test_a_filled_up_metric_is_looked_at_more_than_once(alarms):
    """FILL puts 0 where a metric comes late; one period alone would then never see it (CloudWatch user guide)."""
    filled = [
        alarm
        for name, alarm in alarms.items()
        if "FILL(" in json.dumps(alarm) and not name.startswith("Windowed")  # a count that comes late: the hour's holds
    ]
    assert filled
    assert all(alarm["EvaluationPeriods"] > alarm["DatapointsToAlarm"] for alarm in filled)


@pytest.mark.parametrize("function", ["Aggregator", "Alerts"])
def test_iterator_age_is_a_share_of_the_retention(alarms, function):
    """The expression's constant is the stream's retention in milliseconds, and follows it."""
    alarm = alarms[f"{function}IteratorAgeAlarm"]
    share, age = alarm["Metrics"]
    retention = {"Fn::FindInMap": ["Retention", {"Ref": "RetentionHours"}, "Milliseconds"]}
    assert share["Expression"] == {"Fn::Sub": ["100 * age / ${Milliseconds}", {"Milliseconds": retention}]}
    assert age["MetricStat"]["Metric"]["MetricName"] == "IteratorAge"
    assert age["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "FunctionName", "Value": {"Ref": f"{function}Function"}}
    ]
    assert alarm["Threshold"] == {"Ref": "IteratorAgeAlarmPercent"}


def test_what_is_given_up_is_counted_by_lambda_itself(alarms):
    """Both mappings' own count of what went to the on-failure bucket: S3's request metrics promise no completeness."""
    watched = metrics_of(alarms["OnFailureObjectsAlarm"])
    assert {metric["MetricName"] for metric in watched} == {"OnFailureDestinationDeliveredEventCount"}
    assert [metric["Dimensions"] for metric in watched] == [
        [{"Name": "EventSourceMappingUUID", "Value": {"Ref": f"{name}FunctionUpdates"}}]
        for name in ("Aggregator", "Alerts")
    ]


LEAN = {
    "CommittedTokenAgeAlarm",
    "ConsumerErrorsAlarm",
    "UnrecoverableGapAlarm",
    "AggregatorErrorsAlarm",
    "AggregatorIteratorAgeAlarm",
    "AlertsErrorsAlarm",
    "AlertsIteratorAgeAlarm",
    "DestinationFailuresAlarm",
    "RawArchiveFreshnessAlarm",
    "ArchiveBehindAlarm",
}
"""What is there with Watching=lean: each says that data is lost, or will be if nobody looks."""


def test_lean_watching_keeps_the_alarms_on_loss(alarms, resources):
    """The others, the dashboard and its address are made only where everything is watched."""
    conditions = {name: resources[name].get("Condition") for name in alarms}
    assert {name for name, condition in conditions.items() if condition is None} == LEAN
    assert {conditions[name] for name in alarms.keys() - LEAN} == {"WatchesFully", "WatchesPromises", "HasAlertWebhook"}


def test_lean_watching_has_no_metric_that_only_full_watching_makes(alarms):
    """Lambda's count of a mapping's events is not there then: an alarm on it would never go off."""
    watched = {metric["MetricName"] for name in LEAN for metric in metrics_of(alarms[name])}
    assert not [name for name in watched if name.endswith("EventCount")]


def test_the_dashboard_is_of_full_watching(template):
    """Where it is not made, its address is no output."""
    assert template["Resources"]["Dashboard"]["Condition"] == "WatchesFully"
    assert template["Outputs"]["DashboardAddress"]["Condition"] == "WatchesFully"


def test_the_cost_counts_them(alarms, composites, resources):
    """Each metric that an alarm watches is charged for. Whoever adds one prints the pages' tables again."""
    watched = {
        name: len(metrics_of(alarm)) for name, alarm in alarms.items() if name != "AlertWebhookAlarm"
    }  # if asked for
    assert (sum(watched.values()), len(composites)) == (cost.ALARMS, cost.COMPOSITES)
    lean = [name for name in composites if "Condition" not in resources[name]]
    assert (sum(watched[name] for name in LEAN), len(lean)) == (cost.LEAN_ALARMS, cost.LEAN_COMPOSITES)
    assert cost.METRICS - cost.LEAN_METRICS == 2 * 7  # EventCount of both mappings


UNIT_SECONDS = {"minute": 60, "hour": 3600}


def test_each_schedule_says_what_the_alarms_wait_for(template):
    """The seconds are the expression's; silence and lag outlast two missed visits; three can fail before it is said."""
    visits = template["Mappings"]["Visits"]
    assert list(visits) == template["Parameters"]["Schedule"]["AllowedValues"]
    for name, visit in visits.items():
        number, unit = re.fullmatch(r"rate\((\d+) (minute|hour)s?\)", visit["Expression"]).groups()
        assert name.removesuffix("s") == f"{number}-{unit}"
        assert visit["Seconds"] == int(number) * UNIT_SECONDS[unit]
        assert min(visit["SilentPeriods"], visit["LaggingPeriods"]) >= 3
        assert visit["FailingSeconds"] >= max(1800, 4 * visit["Seconds"])
        for periods in (visit["SilentPeriods"], visit["LaggingPeriods"]):
            assert periods * visit["Seconds"] <= 86_400  # CloudWatch's bound for what one evaluation looks at
        assert 2 * visit["Seconds"] < 6 * 3600 - 60  # the token outlives a missed visit


def test_the_consumers_alarms_follow_the_schedule(alarms):
    """Between two visits nothing is said, and that is no incident."""

    def figure(name):
        return {"Fn::FindInMap": ["Visits", {"Ref": "Schedule"}, name]}

    for name, periods in (("CommittedTokenAgeAlarm", "SilentPeriods"), ("SourceLagAlarm", "LaggingPeriods")):
        alarm = alarms[name]
        assert alarm["Period"] == figure("Seconds"), name
        assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == figure(periods), name
    assert alarms["ConsumerErrorsAlarm"]["Period"] == figure("FailingSeconds")


@pytest.mark.parametrize("schedule", ["1-minute", "15-minutes", "2-hours"])
@pytest.mark.parametrize("name", ["StatusFailedAlarm", "SnapshotsFailedAlarm"])
def test_what_fails_at_each_visit_sets_an_alarm_off(repository, schedule, name):
    """Its metrics are of visits alone: at the third one, and not before; it is over once visits go well."""
    resolved = ResolvedTemplate(repository, {"Schedule": schedule, "StopWhenCaughtUp": "true"})
    alarm = resolved.properties("AWS::CloudWatch::Alarm")[name]
    [dimension] = alarm["Dimensions"]
    between = resolved.value({"Fn::FindInMap": ["Visits", {"Ref": "Schedule"}, "Seconds"]}) // 60
    assert alarm["EvaluationPeriods"] * alarm["Period"] <= 86_400  # CloudWatch's bound for what one evaluation looks at
    metrics, states = Metrics(), []
    for visit in range(8):
        failed = float(visit < 3)
        metrics.add(
            alarm["Namespace"], alarm["MetricName"], {dimension["Name"]: dimension["Value"]}, visit * between, failed
        )
        states.append(state(alarm, metrics, (visit + 1) * between))
    assert states == [OK, OK, ALARM, ALARM, ALARM, OK, OK, OK]


@pytest.mark.parametrize("what", ["Operations", "Alerts"])
def test_people_can_be_mailed(resources, what):
    """An address, if one is given, is subscribed to the alarms, another to the alerts."""
    subscription = resources[f"{what}Email"]
    assert subscription["Condition"] == {"Operations": "HasAlarmEmail", "Alerts": "HasAlertEmail"}[what]
    assert subscription["Properties"]["TopicArn"] == {"Ref": f"{what}Topic"}


def test_saved_queries_ask_logs_of_the_stack(of_type):
    """Under the stack's name, so that two stacks have their own."""
    for name, query in of_type("AWS::Logs::QueryDefinition").items():
        assert query["Name"]["Fn::Sub"].startswith("${AWS::StackName}/"), name
        assert all(group["Ref"].endswith("LogGroup") for group in query["LogGroupNames"]), name


def test_every_saved_query_answers_a_page_and_every_page_has_one(of_type, repository):
    """The page on logs has each query once, and each alarm's page beside one of them."""
    pages = repository / "docs/operations"
    logs = (repository / "docs/logs.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]*) \|$", logs, re.MULTILINE)
    queries = of_type("AWS::Logs::QueryDefinition").values()
    names = {query["Name"]["Fn::Sub"].partition("/")[2] for query in queries}
    assert names == {name for name, _ in rows} - {"query"}
    answered = {page for _, cell in rows for page in re.findall(r"\(operations/(\S+\.md)\)", cell)}
    assert answered == {page.name for page in pages.glob("*.md")} - {"README.md", "resharding.md"}


def test_the_dashboard_shows_metrics_that_exist(resources, own_metrics, template):
    """Its body is JSON once the references are filled in, and no widget is empty by a wrong name."""
    text = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    mappings = {f"{name}Updates" for name in ("AggregatorFunction", "AlertsFunction")}  # SAM makes them
    known = template["Resources"].keys() | template["Parameters"].keys() | mappings | {"AWS::Region"}
    assert set(re.findall(r"\$\{([\w:]+)\}", text)) <= known
    body = json.loads(re.sub(r"\$\{([\w:]+)\}", r"\1", text))
    metrics = [metric for widget in body["widgets"] for metric in widget["properties"]["metrics"]]
    ours = {metric[1] for metric in metrics if metric[0] == "MetricsNamespace"}
    assert ours
    assert ours <= own_metrics
