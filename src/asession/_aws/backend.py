"""A session's way to AWS on one event loop, over our aiobotocore session or the user's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any
from weakref import WeakKeyDictionary

from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.hooks import HierarchicalEmitter

from asession._aws.catalogue import Catalogue, catalogue_for, catalogue_over
from asession._aws.chain import Identify
from asession._aws.clients import lease, mix_in
from asession._aws.resolve import Facts
from asession._aws.service import Service
from asession._aws.session import AwsSession
from asession._events import RESOURCE_EVENTS, SessionEvents
from asession._http.transport import Transport
from asession._options import SessionOptions
from asession._runtime.loops import LoopToken, current_backend, current_loop
from asession._runtime.threads import in_thread
from asession._runtime.turns import turn
from asession._settings.settings import Resolution
from asession.exceptions import ClientClosedError, WrongEventLoopError
from asession.observe.events import ClientClosed, ClientOpened
from asession.observe.reporting import Reporter

# The event loop that drives each aiobotocore session a user gave.
_given_to: WeakKeyDictionary[AioSession, LoopToken] = WeakKeyDictionary()


class Backend:
    """Makes clients and answers questions about AWS, for one session on one event loop.

    Lives as long as the session's live state there, which closes it; whoever opens a client
    closes that.

    Attributes:
        catalogue: The model files.
    """

    def __init__(
        self,
        aio: AioSession,
        catalogue: Catalogue,
        events: SessionEvents,
        transport: Transport | None,
        reporter: Reporter,
    ) -> None:
        self._aio = aio
        self._transport = transport
        self._events = events
        self._reporter = reporter
        self._is_first = True
        self._replayed = 0
        self._shared: dict[Any, Any] = {}
        self._in_use = 0
        self._closed = False
        self._dissolved = False
        self.catalogue = catalogue
        if transport is None:  # the user's; ours has it from the start
            aio.register("creating-client-class", mix_in, unique_id="asession-lease")

    async def open_client(self, service_name: str, **kwargs: Any) -> Any:
        """A new client, entered; close it with its `close`."""
        began = perf_counter()
        with self.using():
            client = await self._aio.create_client(service_name, **kwargs).__aenter__()
        opened = perf_counter()
        region, report = client.meta.region_name, self._reporter.report

        def closed() -> None:
            lifetime = perf_counter() - opened
            report(ClientClosed(service=service_name, region=region, lifetime=lifetime))

        lease(client, service_name, self._shared, closed)
        first, self._is_first = self._is_first, False
        report(
            ClientOpened(service=service_name, region=region, duration=opened - began, first=first)
        )
        return client

    def when_closed(self, client: Any, then: Callable[[], Awaitable[None]]) -> None:
        """Await `then` once a client that was opened here has been closed, by whomever."""
        client._lease.then = then

    @contextmanager
    def using(self) -> Iterator[None]:
        """Keep what is below for a block, even if the session is closed meanwhile.

        Raises:
            ClientClosedError: The session was closed before.
        """
        if self._dissolved:  # while the caller waited for the backend
            raise ClientClosedError(what="session")
        self._replay()
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1
            self._dissolve()

    async def warm_up(self, services: Iterable[str]) -> None:
        """Read what clients of these services are made from."""
        with self.using():
            if isinstance(self._aio, AwsSession):
                await self._aio.warm_up(services)
            else:
                for service_name in services:
                    await in_thread(self._aio.warm_up_loader_caches, service_name)

    async def close(self) -> None:
        """End the connections that the session's clients shared."""
        self._closed = True
        self._dissolve()
        if self._transport is not None:
            await self._transport.aclose()

    def _dissolve(self) -> None:
        if self._closed and not self._in_use and isinstance(self._aio, AwsSession):
            self._dissolved = True
            self._aio.dissolve()

    async def get_credentials(self) -> Any:
        """aiobotocore's credentials, or `None` if no source has any.

        They may be refreshed after the session is left.
        """
        with self.using():
            credentials = await self._aio.get_credentials()
            if isinstance(self._aio, AwsSession) and not self._aio.has_credentials:
                return None
            if await self.identity() is not None:
                self._in_use += 1  # by the credentials, which ask with clients of this session
            return credentials

    async def identity(self) -> Any:
        """The session's credentials with the trail of sources; no source is asked yet.

        To be used inside `using`. `None` for explicit keys, and for a session given as
        `botocore_session=`.
        """
        return await self._aio.identity() if isinstance(self._aio, AwsSession) else None

    async def available_regions(
        self, service_name: str, partition_name: str, allow_non_regional: bool
    ) -> list[str]:
        """The regions in which a service is known to exist."""
        with self.using():
            await self.catalogue.resolver()
            regions = await self._aio.get_available_regions(
                service_name, partition_name, allow_non_regional
            )
            return list(regions)

    def resource_config(self, config: Config | None) -> Config:
        """The client configuration of a resource, which says so in its user agent, as boto3's."""
        if config is None:
            return Config(user_agent_extra="Resource")
        if config.user_agent_extra is None:
            return config.merge(Config(user_agent_extra="Resource"))
        return config

    def resource_emitter(self) -> HierarchicalEmitter | None:
        """A new sync emitter with the user's handlers of ``creating-resource-class.*``, if any."""
        registrations = [
            registration
            for registration in self._events.since(0)
            if registration.event_name.startswith(RESOURCE_EVENTS)
        ]
        if not registrations:
            return None
        emitter = HierarchicalEmitter()
        for registration in registrations:
            registration.apply(emitter)
        return emitter

    def _replay(self) -> None:
        emitter = self._aio.get_component("event_emitter")
        registrations = self._events.since(self._replayed)
        self._replayed += len(registrations)
        for registration in registrations:
            if not registration.event_name.startswith(RESOURCE_EVENTS):
                registration.apply(emitter)


async def connect(
    options: SessionOptions,
    resolution: Resolution,
    events: SessionEvents,
    identify: Identify,
    private: dict[Any, Service],
    reporter: Reporter,
) -> Backend:
    """The backend of a session that has its own files and settings.

    Args:
        options: The session's arguments.
        resolution: Its files, environment and settings.
        events: Its handlers.
        identify: Makes its credentials.
        private: Where the session keeps, on all loops, the services that its handlers may change.
        reporter: Where it reports what happens.
    """
    data_path = resolution.settings["data_path"].value
    catalogue = await in_thread(catalogue_for, data_path, resolution.environ)
    transport = Transport(reporter=reporter)
    await turn()
    aio = AwsSession(options, resolution, catalogue, transport, identify, private)
    return Backend(aio, catalogue, events, transport, reporter)


async def drive(
    options: SessionOptions, events: SessionEvents, reporter: Reporter
) -> tuple[Backend, Facts]:
    """The backend of a session given as `botocore_session=`, and what it knows.

    Raises:
        WrongEventLoopError: Another event loop drives that session already.
        ValueError: It cannot run on this event loop.
    """
    aio: AioSession = options.botocore_session
    here = current_loop()
    driver = _given_to.setdefault(aio, here)
    if driver is not here:
        raise WrongEventLoopError(
            what="botocore_session", reason=f"is driven by {driver!r} and is used on {here!r}"
        )
    config = aio.get_default_client_config()
    http_session_cls = getattr(config, "http_session_cls", AIOHTTPSession)
    if current_backend() == "trio" and issubclass(http_session_cls, AIOHTTPSession):
        raise ValueError(
            "botocore_session= uses aiohttp, which does not run on trio: first call "
            "set_default_client_config(AioConfig(http_session_cls=HttpxSession)) on it"
        )
    catalogue, facts = await in_thread(_prepare, aio, options)
    return Backend(aio, catalogue, events, None, reporter), facts


def _prepare(aio: AioSession, options: SessionOptions) -> tuple[Catalogue, Facts]:
    # As boto3 does with the session it is given; all of it may read files.
    if options.profile_name is not None:
        aio.set_config_variable("profile", options.profile_name)
    if options.region_name is not None:
        aio.set_config_variable("region", options.region_name)
    if options.has_keys:
        aio.set_credentials(
            options.aws_access_key_id,
            options.aws_secret_access_key,
            options.aws_session_token,
            options.aws_account_id,
        )
    facts = Facts(
        profile_name=aio.profile or "default",
        region_name=aio.get_config_variable("region"),
        available_profiles=tuple(aio.available_profiles),
    )
    return catalogue_over(aio.get_component("data_loader").search_paths), facts
