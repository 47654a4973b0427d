"""Whom AWS takes a session for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Whom AWS takes a session for; a value.

    Attributes:
        account: The account's number.
        arn: The ARN of the user or the assumed role.
        user_id: The unique id of the user or role.
    """

    account: str
    arn: str
    user_id: str
