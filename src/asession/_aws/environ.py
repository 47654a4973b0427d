"""The places where upstream reads `os.environ`, given a session's environment instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from aiobotocore.configprovider import AioSmartDefaultsConfigStoreFactory
from aiobotocore.utils import AnyioIMDSRegionProvider, AnyioInstanceMetadataRegionFetcher
from botocore import UNSIGNED
from botocore.args import ClientConfigString
from botocore.exceptions import BotoCoreError
from botocore.handlers import (
    _set_auth_scheme_preference_signer,
    get_bearer_auth_supported_services,
)
from botocore.utils import get_token_from_environment

from asession._aws.emitter import EventEmitter
from asession._aws.http_session import MetadataSession


def follow(environ: Mapping[str, str], events: EventEmitter, *, given: bool) -> None:
    """Register the handlers that read a session's environment.

    Args:
        environ: The environment.
        events: The session's events.
        given: Whether it may differ from the environment of the process.
    """
    if "_X_AMZN_TRACE_ID" in environ:
        events.register("before-call", trace_header(environ))
    if given:
        events.unregister("choose-signer", _set_auth_scheme_preference_signer)
        events.register("choose-signer", choose_scheme(environ))


def trace_header(environ: Mapping[str, str]) -> Callable[..., None]:
    """The handler that passes Lambda's trace id on, so that recursion is detected."""
    trace_id = environ.get("_X_AMZN_TRACE_ID")
    enabled = "AWS_LAMBDA_FUNCTION_NAME" in environ and trace_id

    def add_trace_header(params: dict[str, Any], **_: Any) -> None:
        if enabled and "X-Amzn-Trace-Id" not in params["headers"]:
            params["headers"]["X-Amzn-Trace-Id"] = quote(str(trace_id), safe="-=;:+&[]{}\"',")

    return add_trace_header


def choose_scheme(environ: Mapping[str, str]) -> Callable[..., Any]:
    """The handler that chooses how to sign: with a bearer token where the environment has one."""

    def choose(context: dict[str, Any], signing_name: str, **kwargs: Any) -> Any:
        if signing_name not in get_bearer_auth_supported_services():
            return _set_auth_scheme_preference_signer(context, signing_name, **kwargs)
        # Without the service's name upstream looks for no token in `os.environ`.
        chosen = _set_auth_scheme_preference_signer(context, "", **kwargs)
        config = context.get("client_config")
        options = context.get("auth_options") or ()
        if config is None or "smithy.api#httpBearerAuth" not in options:
            return chosen
        wanted = (config.signature_version, config.auth_scheme_preference)
        by_code = any(
            isinstance(value, ClientConfigString) or value is UNSIGNED for value in wanted
        )
        if by_code and chosen != "bearer":
            return chosen
        return chosen if get_token_from_environment(signing_name, environ) is None else "bearer"

    return choose


class _RegionFetcher(AnyioInstanceMetadataRegionFetcher):
    """Asks the metadata service for the region, through our transport."""

    _ref_counted_session_cls = MetadataSession


class RegionProvider(AnyioIMDSRegionProvider):
    """The region of this instance; for `defaults_mode = auto` alone."""

    def _get_fetcher_cls(self) -> type[_RegionFetcher]:
        return _RegionFetcher


class SmartDefaults(AioSmartDefaultsConfigStoreFactory):
    """`defaults_mode`, with `auto` decided by the session's environment."""

    def __init__(self, resolver: Any, region_provider: Any, environ: Mapping[str, str]) -> None:
        super().__init__(resolver, region_provider)
        self._environ = environ
        self._instance_metadata_region: str | None = None

    async def resolve_auto_mode(self, region_name: str | None) -> str:
        if self._environ.get("AWS_EXECUTION_ENV"):
            default = self._environ.get("AWS_DEFAULT_REGION")
            here = self._environ.get("AWS_REGION", default)
            if here:
                return "in-region" if region_name == here else "cross-region"
        if self._instance_metadata_region is None:
            try:
                self._instance_metadata_region = await self._imds_region_provider.provide()
            except (BotoCoreError, OSError):  # no metadata service, no region
                return "standard"
        if not self._instance_metadata_region:
            return "standard"
        return "in-region" if region_name == self._instance_metadata_region else "cross-region"
