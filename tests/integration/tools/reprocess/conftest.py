"""Raw objects of three hours; and a stack whose state machine is the template's, run by moto's interpreter of ASL."""

from __future__ import annotations

import gzip
import json
import threading

import boto3
import pytest

from local.simulator.flights import GeneratedTraffic

_FUNCTIONS = "arn:aws:lambda:us-east-1:123456789012:function:"
START = 1_709_591_400.0  # 2024-03-04T22:30Z: its hours lie on both sides of midnight


@pytest.fixture(scope="session")
def received(tmp_path_factory):
    """A folder with the raw objects of three hours, each update in that of the hour at which it was sent."""
    folder = tmp_path_factory.mktemp("received")
    source = GeneratedTraffic(rate=0.5, aircraft=30, seed=5, start=START)
    lines: dict[int, list[bytes]] = {}
    for at, line in source.updates():
        if at >= START + 2 * 3600:
            break
        lines.setdefault(int(at // 3600), []).append(line.strip()[len(b'{"target":') : -1] + b"\n")
    for number, (_, some) in enumerate(sorted(lines.items())):
        day, hour = ("2024-03-04", 22 + number) if number < 2 else ("2024-03-05", number - 2)
        path = folder / f"raw/date={day}/hour={hour:02}/a.ndjson.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(b"".join(some + some[:5]), mtime=0))
    return folder


class Stack:
    """What a test sees of the stack: its AWS, the events its functions were given, and what they do instead."""

    def __init__(self, url, folder):
        self.url = url
        self.name = "reprocessed"
        self.s3 = boto3.client("s3", endpoint_url=url)
        self.states = boto3.client("stepfunctions", endpoint_url=url)
        self.events = []
        self.calls = set()
        """What its state machine has called, by its own role: actions and resources."""
        self.instead = None
        self._folder = folder
        self._bucket = 0
        self.bucket = ""
        self.machine = ""
        self.role = []
        self.scheduled = ""

    def invoke(self, function, event):
        """Do what Lambda does: the function's own code, over the bucket in moto."""
        self.events.append(event)
        self.calls.add(("lambda:InvokeFunction", f"{_FUNCTIONS}{function}"))
        if self.instead is not None and (answer := self.instead(event)) is not None:
            return answer
        from archive.archiving import Archiving
        from archive.hours import parse
        from archive.report import Report
        from archive.staging import Staging
        from archive.store import Store
        from flights.airports import Airports
        from flights.days import parsed
        from flights.made import as_json
        from flights.making import Making
        from flights.store import Store as FlightsStore

        folder = self._folder / f"{threading.get_ident()}"
        folder.mkdir(exist_ok=True)
        if function == "FlightsFunction":
            making = Making(FlightsStore(self.s3, self.bucket), Airports.shipped(), folder, 256)
            days = [parsed(day) for day in event["days"]]
            made = making.days(days, lambda: 900.0, only_changed=event["only_changed"], in_parts=event["in_parts"])
            return {"days": as_json(made), "large": []}
        staging = Staging(folder, 256)
        try:
            archiving = Archiving(Store(self.s3, self.bucket), staging, folder, 1_000_000)
            hours = [parse(hour) for hour in event["hours"]]
            archiving.run(hours, lambda: 900.0, report := Report(), again=True, after=event["after"])
            return report.as_json()
        finally:
            staging.close()

    def put_results(self, run, **outcomes):
        """Write what came of a map's run, as Step Functions does (its developer guide, ResultWriter)."""
        folder = f"reprocess/{run.rpartition(':')[2]}"
        files = {"SUCCEEDED": [], "FAILED": [], "PENDING": []}
        for outcome, children in outcomes.items():
            key = f"{folder}/{outcome}_0.json"
            files[outcome].append({"Key": key, "Size": 1})
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=json.dumps(children))
            self.calls.add(("s3:PutObject", f"arn:aws:s3:::data/{key}"))
        manifest = {"DestinationBucket": self.bucket, "MapRunArn": run, "ResultFiles": files}
        self.s3.put_object(Bucket=self.bucket, Key=f"{folder}/manifest.json", Body=json.dumps(manifest))
        return f"{folder}/manifest.json"


@pytest.fixture(scope="module")
def deployed(repository, tmp_path_factory):
    """The stack, once for all tests of a file: its definition takes seconds to parse."""
    from moto.core.config import default_user_config
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval import (
        resource_eval_s3,
    )
    from moto.stepfunctions.parser.asl.utils import boto_client
    from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]
    from werkzeug.serving import make_server

    from local.aws.moto_server import OneAtATime, QuietRequestHandler

    moto = OneAtATime(DomainDispatcherApplication(create_backend_app))

    def application(environ, start_response):
        path = environ["PATH_INFO"]
        if not path.endswith("/invocations"):
            return moto(environ, start_response)
        event = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        headers = [("Content-Type", "application/json")]
        try:
            answer = seen.invoke(path.rpartition(":")[2].partition("/")[0], event)
        except Exception as error:  # noqa: BLE001 - as Lambda's runtime does
            headers.append(("X-Amz-Function-Error", "Unhandled"))
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        start_response("200 OK", headers)
        return [json.dumps(answer).encode()]

    def write_results(env, *_):
        parameters, outputs = env.stack.pop(), env.stack.pop()
        label = "ArchiveHours" if "report" in outputs[0] else "MakeFlights"
        (run,) = [one.map_run_arn for one in env.map_run_record_pool_manager.get_all() if label in one.map_run_arn]
        assert parameters["Prefix"].rstrip("/") == "reprocess"
        children = [
            {
                "Input": json.dumps({"after": "", **{key: list(one[key]) for key in ("hours", "days") if key in one}}),
                "Output": json.dumps(one),
            }
            for one in outputs
        ]
        key = seen.put_results(run, SUCCEEDED=children)
        env.stack.append({"MapRunArn": run, "ResultWriterDetails": {"Bucket": seen.bucket, "Key": key}})

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietRequestHandler)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    seen = Stack(f"http://127.0.0.1:{server.server_port}", tmp_path_factory.mktemp("scratch"))
    template = yaml_parse((repository / "template.yaml").read_text())
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(default_user_config, "stepfunctions", {"execute_state_machine": True})
        patched.setattr(boto_client, "moto_server_port", lambda: server.server_port)
        patched.setattr(resource_eval_s3.ResourceEvalS3, "_handle_put_object", staticmethod(write_results))
        machine = template["Resources"]["ReprocessStateMachine"]["Properties"]
        created = seen.states.create_state_machine(
            name="reprocess",
            definition=json.dumps(_resolved(machine["Definition"])),
            roleArn="arn:aws:iam::123456789012:role/reprocess",
        )
        seen.machine = created["stateMachineArn"]
        seen.scheduled = template["Resources"]["FlightsSchedule"]["Properties"]["Targets"][0]["Input"]["Fn::Sub"]
        seen.role = _resolved(template["Resources"]["ReprocessRole"]["Properties"]["Policies"])
        yield seen
    server.shutdown()
    serving.join()
    server.server_close()


def _resolved(value):
    """A part of the template as CloudFormation hands it on, without what a list has on a condition."""
    if isinstance(value, list):
        conditional = [isinstance(each, dict) and "Fn::If" in each for each in value]
        return [_resolved(each) for each, without in zip(value, conditional, strict=True) if not without]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::Sub": text}:
            return text.replace("${AWS::Partition}", "aws").replace("${DataBucket.Arn}", "arn:aws:s3:::data")
        case {"Fn::GetAtt": [name, "Arn"]} | {"Fn::GetAtt": name}:
            return _FUNCTIONS + name.removesuffix(".Arn")
        case {"Ref": name}:
            return name
    return {key: _resolved(each) for key, each in value.items()}


@pytest.fixture
def stack(deployed, received, monkeypatch, tmp_path_factory):
    """The stack with its own bucket that has the raw objects, and nothing under way."""
    deployed.bucket = f"data-{tmp_path_factory.mktemp('bucket').name}".replace("_", "-")
    deployed.name = f"stack-{deployed.bucket}"
    deployed.events, deployed.instead = [], None
    deployed.s3.create_bucket(Bucket=deployed.bucket)
    for path in received.rglob("*.gz"):
        deployed.s3.put_object(Bucket=deployed.bucket, Key=str(path.relative_to(received)), Body=path.read_bytes())
    outputs = {"ReprocessStateMachineArn": deployed.machine, "DataBucketName": deployed.bucket}
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    cloudformation = boto3.client("cloudformation", endpoint_url=deployed.url)
    cloudformation.create_stack(StackName=deployed.name, TemplateBody=json.dumps(template))
    monkeypatch.setenv("AWS_ENDPOINT_URL", deployed.url)
    return deployed
