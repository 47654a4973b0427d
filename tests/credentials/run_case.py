"""Our answer to a case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.utils import ContainerMetadataFetcher

from asession import Session
from credentials.cases import MFA_CODE, Stage
from credentials.outcomes import of_credentials, of_error


@contextmanager
def link_local(stage: Stage) -> Iterator[None]:
    """The link-local address of containers leads to the server of the case, without pauses."""
    with pytest.MonkeyPatch.context() as patch:
        address = stage.server.url.removeprefix("http://")
        patch.setattr(ContainerMetadataFetcher, "IP_ADDRESS", address)
        patch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)
        yield


async def give_code(_serial: str) -> str:
    """The code of the MFA device of all cases."""
    return MFA_CODE


async def run(stage: Stage, sessions: list[Session] | None = None) -> dict[str, Any]:
    """What a session makes of a prepared case.

    Args:
        sessions: Takes the session.
    """
    try:
        session = Session(**stage.session, environ=stage.environ, mfa=give_code)
        if sessions is not None:
            sessions.append(session)
        async with session:
            if stage.ask is not None:
                return await _request(session, **stage.ask)
            credentials = await session.get_credentials()
            if credentials is None:
                return {"credentials": None}
            frozen = await credentials.get_frozen_credentials()
            return of_credentials(frozen, credentials.method, credentials.expires_at)
    except Exception as error:
        return of_error(error)


async def _request(session: Session, service: str, operation: str) -> dict[str, Any]:
    async with session.client(service) as client:
        try:
            await getattr(client, operation)()
        except ClientError:
            pass  # the server knows no such operation; the request is what counts
    return {}
