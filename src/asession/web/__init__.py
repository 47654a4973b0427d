"""Sessions in web applications: an ASGI middleware and a dependency; no framework is required."""

from asession.web.dependency import session_dependency
from asession.web.middleware import SessionMiddleware

__all__ = ["SessionMiddleware", "session_dependency"]
