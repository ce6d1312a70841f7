"""Serves the map and the API on loopback, as CloudFront, the page's bucket and API Gateway do for a deployed stack."""
