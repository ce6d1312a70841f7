"""AWS clients from botocore's own session.

They are the clients that boto3 gives, without what else boto3 brings (resources, S3 transfers, a session of its own):
20 to 35 ms of a cold start that nothing here uses.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session


@cache
def session() -> Session:
    """Return the process's session: where region, credentials and clients come from. Make it in one thread."""
    return botocore.session.get_session()


def client(service: str, config: Config) -> Any:
    """Return a new client, safe to use from several threads; made in one thread at a time."""
    return session().create_client(service, config=config)
