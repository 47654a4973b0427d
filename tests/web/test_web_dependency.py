"""The dependency gives a request its session in FastAPI, on both event loops."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import anyio
import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import StreamingResponse

import asession
from asession import Session
from asession.exceptions import ClientClosedError, SessionNotEnteredError
from asession.web import SessionMiddleware, session_dependency
from servers.recorder import Recorder
from web.driver import Answer, ask
from web.tenants import access_key_of, session_of, who_signs

pytestmark = pytest.mark.anyio

SESSIONS = {name: Session(profile_name=name) for name in ("a", "b")}
Tenant = Annotated[str, Header(alias="x-tenant")]


def name_of(session: Session) -> str:
    """Which of `SESSIONS` it is, without any file being read."""
    return next((name for name, known in SESSIONS.items() if known is session), "another")


async def get(app: Any, path: str = "/", tenant: str = "a") -> Answer:
    """The answer of an application called in this task, as tests call it."""
    return await ask(app, path, x_tenant=tenant)


def app_with(*dependencies: Callable[..., Any]) -> FastAPI:
    """An application that answers with the name of its current session, to sync and async."""
    app = FastAPI(dependencies=[Depends(dependency) for dependency in dependencies])

    @app.get("/")
    async def endpoint() -> str:
        return name_of(asession.current_session())

    @app.get("/sync")
    def sync_endpoint() -> str:
        return name_of(asession.current_session())

    return app


def sync_factory(tenant: Tenant) -> Session:
    return SESSIONS[tenant]


async def async_factory(request: Request) -> Session:
    await anyio.sleep(0)
    return SESSIONS[request.headers["x-tenant"]]


def known_tenant(tenant: Tenant) -> str:
    if tenant not in SESSIONS:
        raise HTTPException(401, "who are you?")
    return tenant


async def factory_that_depends(tenant: Annotated[str, Depends(known_tenant)]) -> Session:
    return SESSIONS[tenant]


class Factory:
    """An object that is called."""

    def __init__(self, sessions: dict[str, Session]) -> None:
        self.sessions = sessions
        self.calls = 0

    async def __call__(self, tenant: Tenant) -> Session:
        self.calls += 1
        return self.sessions[tenant]


def partial_factory(sessions: dict[str, Session], tenant: Tenant) -> Session:
    return sessions[tenant]


@pytest.mark.parametrize(
    "factory",
    [
        sync_factory,
        async_factory,
        factory_that_depends,
        Factory(SESSIONS),
        functools.partial(partial_factory, SESSIONS),
    ],
    ids=["sync", "async", "depends", "object", "partial"],
)
@pytest.mark.parametrize("path", ["/", "/sync"])
async def test_a_function_returns_the_session_of_each_request(factory: Any, path: str) -> None:
    app = app_with(session_dependency(factory))
    outside = asession.current_session()
    for tenant in "aba":
        answer = await get(app, path, tenant)
        assert (answer.status_code, answer.json()) == (200, tenant)
    assert asession.current_session() is outside


async def test_a_session_may_be_given_as_such() -> None:
    app = app_with(session_dependency(SESSIONS["b"]))
    assert (await get(app)).json() == "b"


counting = Factory(SESSIONS)
CountedSession = Annotated[Session, Depends(session_dependency(counting))]


async def test_the_endpoint_is_given_the_session_and_the_function_is_asked_once() -> None:
    app = FastAPI()
    given: list[Session] = []
    counting.calls = 0

    async def also(session: CountedSession) -> None:
        given.append(session)

    @app.get("/", dependencies=[Depends(also)])
    async def endpoint(session: CountedSession) -> str:
        given.append(session)
        return name_of(asession.current_session())

    assert (await get(app)).json() == "a"
    assert given == [SESSIONS["a"]] * 2
    assert counting.calls == 1


async def test_dependencies_that_come_later_have_the_session() -> None:
    seen: list[str] = []

    async def look() -> None:
        seen.append(name_of(asession.current_session()))

    async def look_again() -> None:
        await look()

    await get(app_with(look, session_dependency(sync_factory), look_again))
    assert seen == ["another", "a"]


async def test_a_sync_dependency_cannot_make_a_session_current() -> None:
    """Why `session_dependency` exists: FastAPI runs a sync one in a copy of the context."""

    def sync_dependency() -> Iterator[None]:
        with asession.use_session(SESSIONS["b"]):
            yield

    assert (await get(app_with(sync_dependency))).json() == "another"


async def test_the_dependency_comes_after_the_middleware() -> None:
    app = app_with(session_dependency(sync_factory))
    app.add_middleware(SessionMiddleware, session=SESSIONS["b"])
    assert (await get(app)).json() == "a"


async def test_tests_may_override_it() -> None:
    dependency = session_dependency(sync_factory)
    app = app_with(dependency)
    app.dependency_overrides[dependency] = session_dependency(SESSIONS["b"])
    assert (await get(app)).json() == "b"


async def test_what_the_function_raises_is_fastapis() -> None:
    app = app_with(session_dependency(factory_that_depends))
    answer = await get(app, tenant="nobody")
    assert (answer.status_code, answer.json()) == (401, {"detail": "who are you?"})


async def test_what_the_endpoint_raises_passes_through() -> None:
    app = app_with(session_dependency(sync_factory))

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418)

    @app.get("/broken")
    async def broken() -> None:
        raise LookupError("broken")

    assert (await get(app, "/teapot")).status_code == 418
    with pytest.raises(LookupError, match="broken"):
        await get(app, "/broken")
    assert name_of(asession.current_session()) == "another"


async def test_a_function_that_returns_no_session_is_told_so() -> None:
    def lookup(tenant: Tenant) -> Any:
        return None

    with pytest.raises(TypeError, match="lookup returned NoneType, not a Session"):
        await get(app_with(session_dependency(lookup)))


async def _entering_already() -> AsyncIterator[Session]:
    async with Session() as session:
        yield session


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (None, "not NoneType"),
        (Session, "not the class"),
        (_entering_already, "_entering_already is a generator function"),
    ],
)
async def test_what_is_no_session_and_no_function_is_refused_at_once(
    given: Any, complaint: str
) -> None:
    with pytest.raises(TypeError, match=complaint):
        session_dependency(given)


@pytest.mark.parametrize("enter", [False, True])
async def test_it_enters_the_session_for_the_request_if_asked(
    enter: bool, recorder: Recorder
) -> None:
    clients: list[Any] = []
    session = session_of("a", recorder.url)

    async def body() -> AsyncIterator[str]:
        for _ in range(2):
            owner = (await clients[0].list_buckets())["Owner"]["ID"]
            yield f"{owner} {await who_signs()};"

    def factory() -> Session:
        return session

    app = FastAPI(dependencies=[Depends(session_dependency(factory, enter=enter))])

    @app.get("/")
    async def endpoint() -> StreamingResponse:
        clients.append(await asession.client("s3"))
        return StreamingResponse(body())

    if not enter:
        with pytest.raises(SessionNotEnteredError):
            await get(app)
        return
    key = access_key_of("a")
    assert (await get(app)).text == f"{key} {key};" * 2
    with pytest.raises(ClientClosedError):
        await clients[0].list_buckets()
    with pytest.raises(SessionNotEnteredError):
        await session.client("s3")


async def test_a_cancelled_request_leaves_the_session(recorder: Recorder) -> None:
    session = session_of("a", recorder.url)
    clients: list[Any] = []
    waiting = anyio.Event()
    app = FastAPI(dependencies=[Depends(session_dependency(session, enter=True))])

    @app.get("/")
    async def endpoint() -> None:
        clients.append(await asession.client("s3"))
        waiting.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(get, app)
        await waiting.wait()
        tasks.cancel_scope.cancel()
    with pytest.raises(ClientClosedError):
        await clients[0].list_buckets()
    with pytest.raises(SessionNotEnteredError):
        await session.client("s3")


async def test_it_has_the_name_and_the_evaluated_parameters_of_its_function() -> None:
    dependency: Any = session_dependency(sync_factory)
    assert dependency.__name__ == "sync_factory"
    assert inspect.isasyncgenfunction(dependency)
    assert inspect.signature(dependency).parameters["tenant"].annotation == Tenant


async def test_annotations_for_type_checkers_alone_do_no_harm() -> None:
    def factory(tenant: str = "a") -> OnlyForTypeCheckers:  # type: ignore[name-defined]  # noqa: F821
        return SESSIONS[tenant]

    assert (await get(app_with(session_dependency(factory)))).json() == "a"
