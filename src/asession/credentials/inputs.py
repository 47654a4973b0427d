"""The inputs of a session's sources, and the source keys made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asession._options import SessionOptions
from asession.credentials.keys import (
    SourceKey,
    digest,
    metadata_inputs,
    network_inputs,
    profile_inputs,
)

if TYPE_CHECKING:
    from asession._profiles.snapshot import ProfileSnapshot

# botocore's variables that decide how the instance metadata service is asked.
_METADATA_SETTINGS = (
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "ec2_metadata_v1_disabled",
    "imds_use_ipv6",
)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Inputs:
    """All that may reach the requests of a session's sources; immutable, holds secrets.

    Attributes:
        options: The session's arguments.
        environ: The environment variables.
        snapshot: The profile files.
        profile_name: The profile in force.
        region_name: The region of requests that nobody gave another, or `None`.
        handlers: The session's event handlers that may change these requests.
    """

    options: SessionOptions
    environ: Mapping[str, str]
    snapshot: ProfileSnapshot
    profile_name: str
    region_name: str | None
    handlers: Sequence[object] = ()

    def key(self, source: str, profile: str, *, reads_environ: bool) -> SourceKey:
        """The key of one of the usual sources.

        Args:
            source: Its name.
            profile: The profile that configures it.
            reads_environ: Whether the environment may configure it too.
        """
        if source == "container-role":
            return source, digest(metadata_inputs(self.environ))
        in_force = self.snapshot.profiles.get(self.profile_name, {})
        if source == "iam-role":
            settings = [in_force.get(name) for name in _METADATA_SETTINGS]
            return source, digest(metadata_inputs(self.environ), settings)
        own = profile_inputs(profile, self.snapshot.profiles, self.snapshot.config["sso_sessions"])
        if source == "custom-process":
            keys = own[profile]["keys"]
            told = [keys.get(name) for name in ("credential_process", "aws_account_id")]
            return source, digest(told, self.environ)
        # The SSO portal has a region of its own.
        region = None if source == "sso" else self.region_name
        return source, digest(profile, own, reads_environ, region, self.network())

    def network(self) -> bytes:
        """A digest of what may reach a request to any service: endpoints, TLS, proxies."""
        options = self.options
        config = None if options.config is None else vars(options.config)
        in_force = self.snapshot.profiles.get(self.profile_name, {})
        return digest(
            self.environ,
            network_inputs(in_force, self.snapshot.config["services"]),
            (options.endpoint_url, options.verify, config),
            # A code of one person's device must not serve another's session.
            options.mfa,
            options.credential_cache,
            self.handlers,
        )

    def whole(self) -> bytes:
        """A digest of everything that decides who the session is, but `credentials=`."""
        options = self.options
        sso_sessions = self.snapshot.config["sso_sessions"]
        return digest(
            (options.aws_access_key_id, options.aws_secret_access_key, options.aws_session_token),
            profile_inputs(self.profile_name, self.snapshot.profiles, sso_sessions),
            (options.profile_name, self.profile_name, self.region_name),
            self.network(),
        )
