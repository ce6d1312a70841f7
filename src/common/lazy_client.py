"""AWS clients that come into being when they are used: most invocations of a function need not all of them."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyClient:
    """Stands for an AWS client, which it makes at the first use, once, whichever thread is first."""

    _making = Lock()  # of any service's: `common.aws` makes one at a time

    def __init__(self, service: str, config: Mapping[str, Any]) -> None:
        """`config` holds keyword arguments of botocore's `Config`."""
        self._service = service
        self._config = config
        self._client: Any = None

    def __getattr__(self, name: str) -> Any:
        with self._making:
            if self._client is None:
                from botocore.config import Config  # noqa: PLC0415 - what this class is for

                from common import aws  # noqa: PLC0415 - likewise

                self._client = aws.client(self._service, Config(**self._config))
        return getattr(self._client, name)
