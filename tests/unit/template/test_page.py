"""The page on the web: off by default, private when it is on, and CloudFront alone reads what it shows."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

import pytest

from live import objects
from local.web.server import WebServer
from local.web.static_files import StaticFiles
from tools.operations import page_password

OF_THIS_DISTRIBUTION = {
    "StringEquals": {
        "aws:SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${PageDistribution}"
        }
    }
}
NOTHING = {"Ref": "AWS::NoValue"}
SECURITY_HEADERS = {
    "Content-Security-Policy": ("ContentSecurityPolicy", "ContentSecurityPolicy"),
    "Referrer-Policy": ("ReferrerPolicy", "ReferrerPolicy"),
}


@pytest.fixture
def distribution(resources):
    """The distribution's configuration."""
    return resources["PageDistribution"]["Properties"]["DistributionConfig"]


def behaviours(distribution):
    """All cache behaviours, as {path pattern: behaviour}, in their order."""
    each = [one["Fn::If"][1] if "Fn::If" in one else one for one in distribution["CacheBehaviors"]]
    return {one["PathPattern"]: one for one in each} | {"*": distribution["DefaultCacheBehavior"]}


def test_the_page_is_off_and_opens_only_by_a_value_that_says_so(template):
    """Three values; who sets none has no page, and nobody is let in by accident."""
    parameter = template["Parameters"]["PageAccess"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("off", ["off", "password", "open-to-everyone"])
    assert template["Conditions"]["HasPage"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "PageAccess"}, "off"]}]}
    rule = template["Rules"]["PageHasItsPassword"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "PageAccess"}, "password"]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "PagePasswordHash"}, ""]}]}


def test_nothing_of_it_exists_while_it_is_off(resources, template):
    """Each of its resources and outputs has the condition."""
    of_the_page = {name for name, one in resources.items() if one["Type"].startswith("AWS::CloudFront::")}
    for name in of_the_page | {"PageBucket", "PageBucketPolicy"}:
        assert resources[name]["Condition"] in ("HasPage", "PageTakesPassword"), name
    outputs = {name: one for name, one in template["Outputs"].items() if "Page" in name}
    assert len(outputs) == 4
    assert {one["Condition"] for one in outputs.values()} == {"HasPage"}


@pytest.mark.parametrize(
    ("policy", "readable"),
    [("PageBucketPolicy", "${PageBucket.Arn}/*"), ("DataBucketPolicy", "${DataBucket.Arn}/live/*")],
)
def test_a_bucket_lets_this_distribution_read_and_nobody_else(resources, policy, readable):
    """One action, below one prefix, for the one distribution; what is not the page's has nothing of it."""
    statements = resources[policy]["Properties"]["PolicyDocument"]["Statement"]
    if policy == "DataBucketPolicy":
        condition, allowed, otherwise = statements.pop()["Fn::If"]
        assert (condition, otherwise) == ("HasPage", NOTHING)
        statements = [*statements, allowed]
    assert [one["Effect"] for one in statements] == ["Deny", "Allow"]
    [_, allowed] = statements
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    assert allowed["Resource"] == {"Fn::Sub": readable}
    assert allowed["Condition"] == OF_THIS_DISTRIBUTION


def test_every_path_asks_for_the_password(distribution):
    """The page, its live objects, and an API that asks for nothing itself; a token is checked by the API."""
    asking = {path: behaviour["FunctionAssociations"]["Fn::If"] for path, behaviour in behaviours(distribution).items()}
    assert {path: condition for path, (condition, _, _) in asking.items()} == {
        "live/*/closed/*": "PageTakesPassword",
        "live/*": "PageTakesPassword",
        "api/*": "PageAsksBeforeApi",
        "*": "PageTakesPassword",
    }
    for _, associations, otherwise in asking.values():
        assert otherwise == NOTHING
        assert associations == [
            {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["PagePassword", "FunctionARN"]}}
        ]


def test_everything_is_read_over_tls_with_the_pages_headers(distribution):
    """No path takes another method, or goes without the headers."""
    for path, behaviour in behaviours(distribution).items():
        assert behaviour["ViewerProtocolPolicy"] == ("redirect-to-https" if path == "*" else "https-only")
        assert behaviour["AllowedMethods"] == ["GET", "HEAD"]
        assert behaviour["ResponseHeadersPolicyId"] == {"Ref": "PageHeaders"}
    assert distribution["HttpVersion"] == "http2and3"


def test_the_headers_are_those_of_a_local_run(resources, tmp_path):
    """What the page may do is tried locally: a deployed one may do the same, and no more."""
    (tmp_path / "index.html").write_text("<!doctype html>")
    with WebServer(StaticFiles(tmp_path)) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        connection.close()
    policy = resources["PageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    for name, (section, value) in SECURITY_HEADERS.items():
        assert policy[section] == {value: answer.headers[name], "Override": True}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert policy.keys() == {
        "ContentSecurityPolicy",
        "ContentTypeOptions",
        "ReferrerPolicy",
        "StrictTransportSecurity",
    }
    of_the_answer = {"Server", "Date", "Content-Type", "Content-Length", "ETag", "Cache-Control"}
    assert set(answer.headers) - of_the_answer == {*SECURITY_HEADERS, "X-Content-Type-Options"}


def test_live_objects_are_copied_for_a_second_and_closed_windows_for_a_day(resources, distribution):
    """Not compressed, or a range could not be read by itself; one copy for all viewers."""
    patterns = list(behaviours(distribution))
    assert patterns.index("live/*/closed/*") < patterns.index("live/*")  # the first that fits is taken
    assert objects.closed_window("shardId-0", 0).startswith("live/shardId-0/closed/")
    for name, seconds in (("LiveCaching", 1), ("ClosedWindowCaching", 86_400)):
        policy = resources[name]["Properties"]["CachePolicyConfig"]
        assert {policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]} == {seconds}
        key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
        assert not key["EnableAcceptEncodingGzip"]
        assert not key["EnableAcceptEncodingBrotli"]
        assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    for path, policy in (("live/*/closed/*", "ClosedWindowCaching"), ("live/*", "LiveCaching")):
        assert behaviours(distribution)[path]["CachePolicyId"] == {"Ref": policy}
        assert behaviours(distribution)[path]["Compress"] is False


def test_an_error_is_not_kept(distribution):
    """What is absent, refused or broken is asked for again a second later."""
    kept = {one["ErrorCode"]: one["ErrorCachingMinTTL"] for one in distribution["CustomErrorResponses"]}
    assert kept == dict.fromkeys((403, 404, 500, 502, 503, 504), 1)


def test_the_api_is_there_unless_it_takes_signed_requests(template, distribution):
    """CloudFront cannot sign for an HTTP API: with iam it has no such path."""
    assert template["Conditions"]["PageHasApi"] == {
        "Fn::And": [{"Condition": "HasPage"}, {"Fn::Not": [{"Fn::Equals": [{"Ref": "ApiAccess"}, "iam"]}]}]
    }
    conditional = [one["Fn::If"][0] for one in distribution["CacheBehaviors"] if "Fn::If" in one]
    assert conditional == ["PageHasApi"]


PASSWORD = page_password.new_password()


def basic(text: str) -> str:
    """What a browser sends for `user:password`."""
    return "Basic " + b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def ask(template) -> Any:
    """Ask the function as CloudFront does: run its code in node, with the request as its event."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run a CloudFront function in; `apt-get install nodejs`")

    def ask(authorization: str | None, password_hash: str = page_password.hashed(PASSWORD)) -> dict[str, Any]:
        code = template["Resources"]["PagePassword"]["Properties"]["FunctionCode"]["Fn::Sub"]
        code = code.replace("${PagePasswordHash}", password_hash)
        assert "${" not in code
        headers = {} if authorization is None else {"authorization": {"value": authorization}}
        request = {"method": "GET", "uri": "/", "headers": headers | {"accept": {"value": "*/*"}}}
        script = f"{code}\nconsole.log(JSON.stringify(handler({json.dumps({'request': request})})));"
        run = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
        answer: dict[str, Any] = json.loads(run.stdout)
        return answer

    return ask


@pytest.mark.parametrize("user", ["", "anyone", "jürgen"])
def test_the_right_password_is_let_in(ask, user):
    """Under any name; the origin does not see it."""
    answer = ask(basic(f"{user}:{PASSWORD}"))
    assert answer == {"method": "GET", "uri": "/", "headers": {"accept": {"value": "*/*"}}}


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        basic(""),
        basic(":"),
        basic(PASSWORD),
        basic(f":{PASSWORD} "),
        basic(f":{PASSWORD}".upper()),
        basic(f"x:{page_password.hashed(PASSWORD)}"),
        f"Bearer {PASSWORD}",
        basic(f":{PASSWORD}").replace("Basic", "Bearer"),
    ],
    ids=[
        "nothing",
        "empty",
        "scheme alone",
        "no base64",
        "nobody",
        "no password",
        "no colon",
        "a blank more",
        "upper case",
        "its hash",
        "bearer",
        "bearer in base64",
    ],
)
def test_nothing_else_lets_anybody_in(ask, authorization):
    """The answer asks the browser for it, and no copy of the refusal is kept."""
    answer = ask(authorization)
    assert answer["statusCode"] == 401
    assert answer["headers"]["www-authenticate"]["value"].startswith("Basic realm=")
    assert answer["headers"]["cache-control"]["value"] == "no-store"


def test_without_a_hash_nobody_is_let_in(ask):
    """A stack that got around the rule is closed, not open."""
    assert ask(basic(":"), "")["statusCode"] == 401
