"""The API's front door: who may ask, and what it hands on."""

from __future__ import annotations


def test_who_may_ask_is_iam_unless_a_parameter_says_so(of_type, template):
    """Nobody without credentials or a token, but by a value that says in words what it does."""
    parameter = template["Parameters"]["ApiAccess"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("iam", ["iam", "jwt", "open-to-everyone"])
    for route in of_type("AWS::ApiGatewayV2::Route").values():
        assert route["AuthorizationType"] == {
            "Fn::If": ["ApiTakesJwt", "JWT", {"Fn::If": ["ApiIsOpen", "NONE", "AWS_IAM"]}]
        }
        assert route["AuthorizerId"]["Fn::If"][:2] == ["ApiTakesJwt", {"Ref": "ApiAuthorizer"}]
    assert template["Conditions"]["ApiIsOpen"] == {"Fn::Equals": [{"Ref": "ApiAccess"}, "open-to-everyone"]}


METHODS = ["GET", "HEAD"]


def test_only_reading_reaches_the_function(of_type):
    """A route for each method that reads, and API Gateway may invoke the function for these alone."""
    routes = of_type("AWS::ApiGatewayV2::Route").values()
    assert [route["RouteKey"] for route in routes] == [f"{method} /api/{{proxy+}}" for method in METHODS]
    permissions = [
        one
        for one in of_type("AWS::Lambda::Permission").values()
        if one["FunctionName"] == {"Ref": "ApiFunction"} and one["Principal"] == "apigateway.amazonaws.com"
    ]
    assert [one["SourceArn"]["Fn::Sub"].partition("${Api}")[2] for one in permissions] == [
        f"/*/{method}/api/*" for method in METHODS
    ]


def test_the_page_offers_what_the_api_answers(resources):
    """CloudFront passes on each method that it allows."""
    behaviours = resources["PageDistribution"]["Properties"]["DistributionConfig"]["CacheBehaviors"]
    (api,) = (one["Fn::If"][1] for one in behaviours if "Fn::If" in one)
    assert (api["PathPattern"], api["AllowedMethods"]) == ("api/*", METHODS)


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
