"""The functions' logical ids in template.yaml, by which the local stack knows them."""

CONSUMER = "ConsumerFunction"
AGGREGATOR = "AggregatorFunction"
ALERTS = "AlertsFunction"
ARCHIVE = "ArchiveFunction"
FLIGHTS = "FlightsFunction"
API = "ApiFunction"
