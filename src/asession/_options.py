"""What a session was made with: its arguments, as one immutable value."""

from __future__ import annotations

import inspect
import io
import os
import pickle
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import FrameType
from typing import Any

from asession.exceptions import NoCredentialsError, PartialCredentialsError

_SECRETS = frozenset({"aws_secret_access_key", "aws_session_token"})
# What can hold secrets or is too large to be read in a repr.
_OPAQUE = frozenset({"config", "botocore_session", "credentials", "profiles", "environ", "mfa"})

# The second is the first in pure Python, and what some picklers of other packages derive from.
_PICKLERS = (pickle.Pickler, pickle._Pickler)

_USERINFO = re.compile(r"^(\w+://).*@")
_NOT_WITH_GIVEN = ("config_file", "credentials_file", "profiles", "environ", "credentials", "mfa")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SessionOptions:
    """The arguments of a `Session`, checked; immutable, for as long as anyone keeps it.

    Attributes have the names and meanings of the arguments of `Session`.
    """

    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = None
    aws_session_token: str | None = None
    region_name: str | None = None
    botocore_session: Any = None
    profile_name: str | None = None
    aws_account_id: str | None = None
    config: Any = None
    endpoint_url: str | None = None
    verify: bool | str | None = None
    credentials: Any = None
    credential_cache: str | os.PathLike[str] = "memory"
    config_file: str | os.PathLike[str] | None = None
    credentials_file: str | os.PathLike[str] | None = None
    profiles: Mapping[str, Mapping[str, Any]] | None = None
    environ: Mapping[str, str] | None = None
    mfa: Any = None
    observers: Sequence[Any] = ()

    def __post_init__(self) -> None:
        self._check_keys()
        # Private copies: a description does not change when the caller's mapping does.
        if self.environ is not None:
            object.__setattr__(self, "environ", dict(self.environ))
        if self.profiles is not None:
            object.__setattr__(self, "profiles", _plain(self.profiles))
        object.__setattr__(self, "observers", _checked(self.observers))
        if self.profiles is not None and (self.config_file or self.credentials_file):
            raise ValueError(
                "profiles= stands in place of the files: give either profiles=, or "
                "config_file= and credentials_file="
            )
        if self.botocore_session is not None:
            self._check_given_session()

    def _check_keys(self) -> None:
        key, secret = self.aws_access_key_id, self.aws_secret_access_key
        if self.has_keys:
            if self.credentials is not None:
                raise ValueError(
                    "credentials= and explicit keys (aws_access_key_id=, aws_secret_access_key=, "
                    "aws_session_token=) exclude each other: give one of them"
                )
            if not key:
                raise PartialCredentialsError(provider="explicit", cred_var="aws_access_key_id")
            if not secret:
                raise PartialCredentialsError(provider="explicit", cred_var="aws_secret_access_key")
        elif self.aws_account_id and self.credentials is not None:
            raise ValueError("give the account id with the credentials, not as aws_account_id=")
        elif self.aws_account_id:
            raise NoCredentialsError(
                reason="aws_account_id= describes credentials, but none were given with it: give "
                "aws_access_key_id= and aws_secret_access_key= too",
                tried=(),
            )

    def _check_given_session(self) -> None:
        # An aiobotocore session can only come from the module that is then loaded.
        module = sys.modules.get("aiobotocore.session")
        given = self.botocore_session
        if module is None or not isinstance(given, module.AioSession):
            raise TypeError(
                f"botocore_session= must be an aiobotocore.session.AioSession, not "
                f"{type(given).__module__}.{type(given).__qualname__}: make it with "
                "aiobotocore.session.get_session(), or give its settings to Session(...) instead"
            )
        clash = [name for name in _NOT_WITH_GIVEN if getattr(self, name) is not None]
        if clash:
            raise ValueError(
                f"botocore_session= reads its own files and environment: {', '.join(clash)} cannot "
                "be given with it"
            )

    @property
    def has_keys(self) -> bool:
        """Whether explicit keys were given, whole or in part."""
        return bool(self.aws_access_key_id or self.aws_secret_access_key or self.aws_session_token)

    def replace(self, changes: Mapping[str, Any]) -> SessionOptions:
        """The same options with some changed."""
        return replace(self, **changes)

    def given(self) -> dict[str, Any]:
        """The options that differ from their defaults, by name."""
        return {
            item.name: value
            for item in fields(self)
            if (value := getattr(self, item.name)) is not item.default
        }

    def __repr__(self) -> str:
        return f"SessionOptions({self.describe()})"

    def describe(self) -> str:
        """The options for a `repr`, without secrets."""
        return ", ".join(f"{name}={_show(name, value)}" for name, value in self.given().items())

    def check_picklable(self, asked_by: FrameType) -> None:
        """Make sure that the options can travel.

        Args:
            asked_by: The frame that pickles. If it is a pickler's own, such as cloudpickle's, which
                Dask and Ray use, that pickler may take what `pickle` cannot: functions by value.

        Raises:
            pickle.PicklingError: One of them cannot; the message names it.
        """
        if self.botocore_session is not None:
            raise pickle.PicklingError(
                "a Session with botocore_session= cannot be pickled: that session is a live object"
            )
        for name, value in self.given().items():
            try:
                pickle.dumps(value)
            except Exception as error:
                if _takes(asked_by, value):
                    continue
                raise pickle.PicklingError(
                    f"a Session pickles as its arguments, and {name}= cannot be pickled "
                    f"({type(error).__name__}); functions must be importable, not lambdas"
                ) from None


def _takes(frame: FrameType, value: object) -> bool:
    """Whether the pickler whose method the frame is, if it is one, can pickle the value."""
    code = frame.f_code
    pickler = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
    kind = type(pickler)
    if not issubclass(kind, _PICKLERS) or kind in _PICKLERS:
        return False
    try:
        kind(io.BytesIO()).dump(value)
    except Exception:
        return False
    return True


def _checked(observers: Any) -> tuple[Any, ...]:
    if callable(observers) or not isinstance(observers, Sequence):
        raise TypeError("observers= must be a list of functions, for example observers=[print]")
    for observer in observers:
        if not callable(observer) or any(map(inspect.iscoroutinefunction, _called(observer))):
            raise TypeError(
                f"observers=: {observer!r} must be a plain function, or an object that can be "
                "called like one; it is told what happened and cannot await"
            )
    return tuple(observers)


def _called(observer: Any) -> tuple[Any, ...]:
    return observer, getattr(observer, "__call__", None)  # noqa: B004


def _plain(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _plain(value) if isinstance(value, Mapping) else value
        for key, value in mapping.items()
    }


def _show(name: str, value: object) -> str:
    if name in _SECRETS:
        return "'***'"
    if name == "aws_access_key_id":
        # Enough to recognise, too little to use.
        text = str(value)
        return repr(f"{text[:4]}***{text[-4:]}" if len(text) > 12 else "***")
    if name == "environ":
        return f"<{len(value)} variables>"  # type: ignore[arg-type]
    if name == "profiles":
        return f"<{len(value)} profiles>"  # type: ignore[arg-type]
    if name == "endpoint_url":
        return repr(_USERINFO.sub(r"\1***@", str(value)))
    if name == "observers":
        return f"<{len(value)} observers>"  # type: ignore[arg-type]
    if name in _OPAQUE:
        return f"<{type(value).__name__}>"
    return repr(os.fspath(value) if isinstance(value, os.PathLike) else value)
