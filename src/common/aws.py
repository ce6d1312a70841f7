"""Lazy AWS clients from botocore's own session, each created at its first use.

They are boto3's clients, without the rest of boto3 (resources, S3 transfers, its own session): 20 to 35 ms of a cold
start that nothing here uses. Creating a client costs tens of milliseconds more, and most invocations do not need all of
them: so a client here is a proxy until its first call, which imports botocore.
"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.session import Session


@cache
def session() -> Session:
    """Return the process's session: where region, credentials and clients come from. Make it in one thread.

    Its clients raise what botocore raises, and `acknowledgements.UnacknowledgedError`.
    """
    import botocore.session  # noqa: PLC0415 - an invocation that calls nothing need not load it

    from common import acknowledgements  # noqa: PLC0415 - as above

    made = botocore.session.get_session()
    acknowledgements.expect(made)
    return made


def client(service: str, options: Mapping[str, Any]) -> Any:
    """Return a client of an AWS service, safe to use from several threads; it comes into being at its first use.

    `options` are keyword arguments of botocore's `Config`.
    """
    return _LazyClient(service, options)


def endpoint(service: str) -> str:
    """Return the address that boto3's client of a service calls, where no operation has its own endpoint.

    It is found as that client finds it, by the partition, region, FIPS, dual-stack and endpoint settings of the
    environment and of the shared configuration file.

    Raises
    ------
    botocore.exceptions.NoRegionError
        No region is set.
    botocore.exceptions.EndpointProviderError
        The partition has no such endpoint.
    """
    from botocore.configprovider import ConfiguredEndpointProvider  # noqa: PLC0415 - as above
    from botocore.endpoint_provider import EndpointProvider  # noqa: PLC0415 - as above
    from botocore.exceptions import NoRegionError  # noqa: PLC0415 - as above

    own = session()
    region = own.get_config_variable("region")
    if region is None:
        raise NoRegionError
    if not own.get_config_variable("ignore_configured_endpoint_urls"):
        configured = ConfiguredEndpointProvider(own.full_config, own.get_scoped_config(), service).provide()
        if configured:
            return str(configured)
    loader = own.get_component("data_loader")
    rules = loader.load_service_model(service, "endpoint-rule-set-1")
    resolved = EndpointProvider(rules, loader.load_data("partitions")).resolve_endpoint(
        Region=region,
        UseFIPS=bool(own.get_config_variable("use_fips_endpoint")),
        UseDualStack=bool(own.get_config_variable("use_dualstack_endpoint")),
    )
    return str(resolved.url)


class _LazyClient:
    """A proxy for an AWS client, which it creates once, at the first use, from any thread."""

    _making = Lock()  # of any service's: a session makes one at a time

    def __init__(self, service: str, options: Mapping[str, Any]) -> None:
        self._service = service
        self._options = options
        self._client: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._client is None:
            with self._making:
                if self._client is None:
                    from botocore.config import Config  # noqa: PLC0415 - what this class is for

                    self._client = session().create_client(self._service, config=Config(**self._options))
        return getattr(self._client, name)
