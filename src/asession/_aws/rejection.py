"""A request that was refused for its credentials is signed once more, with new ones."""

from __future__ import annotations

import logging
from typing import Any

from botocore.exceptions import ClientError

from asession._logging import log

_log = logging.getLogger("asession.credentials")

# What services say of keys that have ended, were revoked, or are not known (any more).
_REFUSALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "RequestExpired",  # EC2's word for an ended token
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
# An answer to HEAD has no body, and so no code but its status: S3 says 403 of unknown keys, and 400
# of ended ones. It says so of many other things too.
_NAMELESS = frozenset({"400", "403"})
SIGNED_WITH = "asession_signed_with"
"""Where in the context of a request its signer leaves the keys."""

_REPLACED = "asession_replaced"
# Keys that were about to end may end on the way more than once where everything is slow. Keys that
# still work by our clock are not replaced twice in a row: their source says no.
_MOST = 3


def is_refusal(error: BaseException) -> bool:
    """Whether a service has refused the keys that a request was signed with."""
    return isinstance(error, ClientError) and error.response["Error"].get("Code") in _REFUSALS


async def sign_again(
    response: tuple[Any, dict[str, Any]] | None, request_dict: dict[str, Any], **_: Any
) -> int | None:
    """Handler of ``needs-retry``: get other keys, and have the request sent again.

    Keys know who gave them (`owner`) if they are a session's and can be replaced. Where nobody can
    tell whether the keys were refused, no source is asked: then there are other keys if files have
    changed, or if another request had the keys replaced.

    Returns:
        The seconds to wait before that, or `None` to leave things as they are.
    """
    # Below 300 an `Error` is the operation's own, such as that of a statement of Redshift.
    if response is None or response[0].status_code < 300:
        return None
    code = response[1].get("Error", {}).get("Code")
    is_refused = code in _REFUSALS
    if not is_refused and code not in _NAMELESS:
        return None
    context = request_dict["context"]
    keys = context.get(SIGNED_WITH)
    owner = getattr(keys, "owner", None)
    replacements = context.get(_REPLACED, 0)
    if owner is None or replacements == _MOST:
        return None
    context[_REPLACED] = replacements + 1
    try:
        replaced = await owner.replace(keys, ask=is_refused)
    except Exception as error:
        # The service's own answer says more to who made the request.
        log(
            _log,
            logging.WARNING,
            "credentials.refused",
            "no new keys for those refused with %(code)s: %(error)s",
            code=code,
            error=type(error).__name__,
        )
        return None
    return 0 if replaced else None
