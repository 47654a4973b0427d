"""What comes of a case, in words that both engines share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import dateutil.parser


def of_credentials(
    frozen: Any, method: str | None, expires: datetime | str | None
) -> dict[str, Any]:
    """Credentials that were found.

    Args:
        frozen: With access_key, secret_key, token and account_id.
        expires: Their end, `None` without one.
    """
    if expires is not None:
        end = dateutil.parser.parse(expires) if isinstance(expires, str) else expires
        expires = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "credentials": {
            "access_key": frozen.access_key,
            "secret_key": frozen.secret_key,
            "token": frozen.token,
            "account_id": frozen.account_id,
            "method": method,
            "expires": expires,
        }
    }


def of_error(error: BaseException) -> dict[str, Any]:
    """An error, with the names of its classes, nearest first."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return {"error": {"classes": names[: names.index("Exception")], "message": str(error)}}
