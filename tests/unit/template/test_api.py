"""The API's front door: who may ask, and what it hands on."""

from __future__ import annotations


def test_who_may_ask_is_iam_unless_a_parameter_says_so(resources, template):
    """Nobody without credentials or a token, but by a value that says in words what it does."""
    parameter = template["Parameters"]["ApiAccess"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("iam", ["iam", "jwt", "open-to-everyone"])
    route = resources["ApiRoute"]["Properties"]
    assert route["AuthorizationType"] == {
        "Fn::If": ["ApiTakesJwt", "JWT", {"Fn::If": ["ApiIsOpen", "NONE", "AWS_IAM"]}]
    }
    assert template["Conditions"]["ApiIsOpen"] == {"Fn::Equals": [{"Ref": "ApiAccess"}, "open-to-everyone"]}


def test_only_reading_reaches_the_function(resources, of_type):
    """There is one route, for GET, and API Gateway may invoke the function for it alone."""
    assert [route["RouteKey"] for route in of_type("AWS::ApiGatewayV2::Route").values()] == ["GET /api/{proxy+}"]
    permission = resources["ApiPermission"]["Properties"]
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${Api}/*/GET/api/*")


def test_the_function_gets_what_it_reads(resources):
    """Payload format 2.0, and as long as the function may take."""
    integration = resources["ApiIntegration"]["Properties"]
    assert integration["PayloadFormatVersion"] == "2.0"
    assert integration["TimeoutInMillis"] == 1_000 * resources["ApiFunction"]["Properties"]["Timeout"]


def test_requests_are_bounded(resources):
    """A loop somewhere costs no fortune."""
    assert resources["ApiStage"]["Properties"]["DefaultRouteSettings"].keys() == {
        "ThrottlingBurstLimit",
        "ThrottlingRateLimit",
    }
