"""Takes the place of AWS's common runtime, which botocore would use where it is."""

raise ImportError("awscrt: not in Lambda")
