"""Imports moto's CloudFormation in less than half the time, without the tables of services that no stack here uses.

moto's CloudFormation imports the models of all services it can make. EC2's read, while they are imported, their types
of instances (0.5 s of CPU) and, by botocore's models, AWS's regions (1 s); API Gateway's import a validator of OpenAPI
documents (0.4 s). `python -X importtime -m local.aws.moto_server` shows it. Nothing of that is asked for here: with it
each local stack, and each test that makes one, begins two seconds later.
"""

from __future__ import annotations

import contextlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
from moto.utilities import utils

if TYPE_CHECKING:
    from collections.abc import Iterator

_VALIDATOR = "openapi_spec_validator"
_TABLES = ("ec2/", "sagemaker/")


@contextlib.contextmanager
def without_tables() -> Iterator[None]:
    """Let moto's modules be imported inside without these tables; what is imported already is left as it is."""
    load = utils.load_resource

    def loaded(resource: str) -> Any:
        return {} if resource.startswith(_TABLES) else load(resource)

    validator, its_errors = ModuleType(_VALIDATOR), ModuleType(f"{_VALIDATOR}.validation.exceptions")
    validator.validate = lambda *_, **__: None  # type: ignore[attr-defined]
    its_errors.OpenAPIValidationError = ValueError  # type: ignore[attr-defined]
    stubs = {
        _VALIDATOR: validator,
        f"{_VALIDATOR}.validation": ModuleType("validation"),
        its_errors.__name__: its_errors,
    }
    absent = [name for name in stubs if name not in sys.modules]
    sys.modules.update({name: stubs[name] for name in absent})
    try:
        with (
            mock.patch.object(utils, "load_resource", loaded),
            mock.patch.object(boto3.Session, "get_available_regions", return_value=[]),
        ):
            yield
    finally:
        for name in absent:  # not by `mock.patch.dict`, which would forget what was imported meanwhile, too
            del sys.modules[name]
