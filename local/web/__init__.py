"""The map and the API on loopback: what CloudFront, the page's bucket and API Gateway do for a deployed stack."""
