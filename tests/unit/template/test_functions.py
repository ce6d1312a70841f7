"""The functions: runtime, limits, logs, environment, build."""

from __future__ import annotations

import re

import pytest


@pytest.fixture(scope="session")
def contract(repository):
    """The environment table of docs/design.md, as {function: set of names}."""
    names = {"consumer": set(), "aggregator": set(), "alerts": set(), "api": set(), "archive": set(), "flights": set()}
    for variables, functions in re.findall(
        r"^\| (`[A-Z][A-Z_]+`.*?) \| ([\w, ]+) \|", (repository / "docs/design.md").read_text(), re.MULTILINE
    ):
        for function in names if functions == "all" else functions.split(", "):
            names[function] |= set(re.findall(r"`(\w+)`", variables))
    assert len(names["consumer"]) > 15
    return names


def test_the_environment_is_what_the_design_says(function, folder, template, contract):
    """Each variable of the design's table is set on its function, and no other."""
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    assert function["Environment"]["Variables"].keys() | shared.keys() == contract[folder]


def test_service_name_is_the_folder(function, folder):
    """Metrics and logs of a function bear its folder's name."""
    assert function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == folder


def test_handler_is_in_the_function_folder(function, folder, repository):
    """The handler string names a module that is there."""
    assert function["Handler"] == f"{folder}.handler.handler"
    assert (repository / "src" / folder / "handler.py").exists()


def test_logs_are_kept_for_a_set_time(function, resources):
    """Every function has its own log group, which forgets."""
    group = resources[function["LoggingConfig"]["LogGroup"]["Ref"]]
    assert group["Type"] == "AWS::Logs::LogGroup"
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_makefile_builds_it(function_id, folder, resources, repository):
    """`sam build` finds a target for every function, which packages that function's folder."""
    assert resources[function_id]["Metadata"]["BuildMethod"] == "makefile"
    recipe = re.search(rf"^build-{function_id}:\n\t(.+)$", (repository / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    assert recipe[1].endswith(f'--into "$(ARTIFACTS_DIR)" {folder}')


def test_python_is_the_one_of_development(template, repository):
    """What is tested is what runs."""
    assert template["Globals"]["Function"]["Runtime"] == "python" + (repository / ".python-version").read_text().strip()


def test_architecture_is_a_parameter_and_arm64_by_default(template):
    """The processor can be chosen, for all functions at once."""
    assert template["Globals"]["Function"]["Architectures"] == [{"Ref": "Architecture"}]
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"


def test_one_consumer_at_a_time(resources):
    """Reserved concurrency is 1 unless the parameter gives it up."""
    consumer = resources["ConsumerFunction"]["Properties"]
    assert consumer["ReservedConcurrentExecutions"] == {"Fn::If": ["ReservesConcurrency", 1, {"Ref": "AWS::NoValue"}]}


def test_the_consumer_runs_as_long_as_lambda_allows(resources):
    """Fewer runs a day leave less time outside the stream."""
    assert resources["ConsumerFunction"]["Properties"]["Timeout"] == 900


def test_a_failed_run_is_left_to_the_next_tick(resources):
    """Asynchronous invocations are not repeated, and a tick waits no longer than until the next one."""
    consumer = resources["ConsumerFunction"]["Properties"]
    assert consumer["EventInvokeConfig"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}


def test_the_schedule_ticks_every_minute_by_default_and_can_be_stopped(resources, template):
    """The rule is EventBridge's, its state a parameter, and a tick it cannot deliver waits no longer than the next."""
    rule = resources["ConsumerSchedule"]["Properties"]
    assert rule["ScheduleExpression"] == {"Fn::FindInMap": ["Visits", {"Ref": "Schedule"}, "Expression"]}
    default = template["Parameters"]["Schedule"]["Default"]
    assert template["Mappings"]["Visits"][default]["Expression"] == "rate(1 minute)"
    assert rule["State"] == {"Ref": "ScheduleState"}
    [target] = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["ConsumerFunction", "Arn"]}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}


def test_only_the_schedule_may_start_the_consumer(of_type):
    """EventBridge may invoke it, and for this rule alone."""
    assert of_type("AWS::Lambda::Permission")["ConsumerSchedulePermission"] == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "ConsumerFunction"},
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": ["ConsumerSchedule", "Arn"]},
    }


def test_a_mapping_says_that_it_is_on(resources):
    """One that was switched off by hand is put back by `ops repair`, which sees only what the template declares."""
    for name in ("AggregatorFunction", "AlertsFunction"):
        assert resources[name]["Properties"]["Events"]["Updates"]["Properties"]["Enabled"] is True
