"""Sessions in web applications: an ASGI middleware, a dependency, a cache; no framework needed."""

from asession.web.cache import SessionCache
from asession.web.dependency import session_dependency
from asession.web.middleware import SessionMiddleware

__all__ = ["SessionCache", "SessionMiddleware", "session_dependency"]
