"""`client()` and `resource()` of a session: what they take and how they open.

Type checkers read `_opens.pyi` in place of this module: an overload for each service, generated
from the signatures here (`nox -s stubs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asession._clients import LiveStates, Opening
from asession._extensions import prepare
from asession._runtime.threads import import_module

if TYPE_CHECKING:
    from botocore.config import Config

    from asession._aws.backend import Backend


class Opens:
    """The part of a session that opens clients and resources."""

    _live: LiveStates

    def client(
        self,
        service_name: str,
        region_name: str | None = None,
        api_version: str | None = None,
        use_ssl: bool = True,
        verify: bool | str | None = None,
        endpoint_url: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        config: Config | None = None,
        aws_account_id: str | None = None,
    ) -> Opening[Any]:
        """A low-level client of a service.

        ``async with session.client("s3") as s3`` opens one for the block, in any session.
        ``s3 = await session.client("s3")`` opens one that an entered session closes at its end.
        Each call makes a client of its own.

        Args:
            service_name: For example ``"s3"``; see `get_available_services`.
            region_name: Before the session's region.
            api_version: A version of the service's model other than the latest.
            use_ssl: `False` for http endpoints; without meaning when `endpoint_url` is given.
            verify: `False` to check no TLS certificate, or the path of a CA bundle.
            endpoint_url: The endpoint, instead of the one AWS has for the region.
            aws_access_key_id: Keys of this client alone.
            aws_secret_access_key: Keys of this client alone.
            aws_session_token: Token of this client alone.
            config: A botocore `Config` or aiobotocore `AioConfig`, merged over the session's.
            aws_account_id: Account of this client's keys.

        Returns:
            What to await or enter; opening raises botocore's errors for unknown services, missing
            regions and bad arguments, and `SessionNotEnteredError` if awaited in a session that is
            not entered on this event loop.
        """
        arguments = {
            "region_name": region_name,
            "api_version": api_version,
            "use_ssl": use_ssl,
            "verify": verify,
            "endpoint_url": endpoint_url,
            "aws_access_key_id": aws_access_key_id,
            "aws_secret_access_key": aws_secret_access_key,
            "aws_session_token": aws_session_token,
            "config": config,
            "aws_account_id": aws_account_id,
        }

        async def open_(backend: Backend) -> tuple[Any, Any]:
            await prepare(service_name)
            opened = await backend.open_client(service_name, **arguments)
            return opened, opened

        return Opening(self._live, "client", service_name, open_)

    def resource(
        self,
        service_name: str,
        region_name: str | None = None,
        api_version: str | None = None,
        use_ssl: bool = True,
        verify: bool | str | None = None,
        endpoint_url: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        config: Config | None = None,
    ) -> Opening[Any]:
        """A boto3-style resource of a service, opened and closed as `client` is.

        Constructors and references are plain calls (``s3.Bucket("b").Object("k")``), actions are
        awaited, collections are iterated with ``async for``.

        Args:
            service_name: For example ``"dynamodb"``; see `get_available_resources`.
            region_name: See `client`, as for all further arguments.
            api_version: A version of the resource's model other than the latest.
            use_ssl: See `client`.
            verify: See `client`.
            endpoint_url: See `client`.
            aws_access_key_id: See `client`.
            aws_secret_access_key: See `client`.
            aws_session_token: See `client`.
            config: See `client`.

        Returns:
            What to await or enter; opening raises `ResourceNotExistsError` for services without
            resources and `UnknownAPIVersionError` for unknown versions.

        Example:
            async with session.resource("dynamodb") as dynamodb:
                await dynamodb.Table("orders").put_item(Item={"id": "1"})
        """
        arguments = {
            "region_name": region_name,
            "use_ssl": use_ssl,
            "verify": verify,
            "endpoint_url": endpoint_url,
            "aws_access_key_id": aws_access_key_id,
            "aws_secret_access_key": aws_secret_access_key,
            "aws_session_token": aws_session_token,
        }

        async def open_(backend: Backend) -> tuple[Any, Any]:
            module = await import_module("asession._additions")
            opened: tuple[Any, Any] = await module.open_resource(
                backend, service_name, api_version, config, arguments
            )
            return opened

        return Opening(self._live, "resource", service_name, open_)
