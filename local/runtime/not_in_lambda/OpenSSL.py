"""Takes the place of pyOpenSSL, which botocore would use where it is."""  # noqa: N999 - its name

raise ImportError("pyOpenSSL: not in Lambda")
