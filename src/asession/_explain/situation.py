"""What is known of a session when something about it is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asession._explain.places import Places
from asession._profiles.snapshot import EMPTY, FrozenSection, ProfileSnapshot
from asession._settings.endpoints import NAME, endpoint_of
from asession._settings.resolved import Resolved
from asession._settings.settings import Resolution

# The credentials that a profile configures, by the word that errors have for their source.
KEYS_OF_SOURCES: Mapping[str, tuple[str, ...]] = {
    "custom-process": ("credential_process",),
    "shared-credentials-file": ("aws_access_key_id", "aws_secret_access_key"),
    "config-file": ("aws_access_key_id", "aws_secret_access_key"),
    "assume-role-with-web-identity": ("web_identity_token_file",),
    "assume-role": ("source_profile", "credential_source", "role_arn"),
    "sso": ("sso_session", "sso_start_url", "sso_account_id"),
    "login": ("login_session",),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Situation:
    """A session's files, environment and settings; lives for one explanation, holds secrets.

    Attributes:
        profile_name: The profile in force, or an empty string.
        source: The source of credentials in use, or an empty string.
        snapshot: The profile files.
        environ: The environment variables.
        endpoints: The endpoints that are not AWS's own.
        places: Where things stand in the files.
        resolution: All of it, if the session could be resolved, even in part.
    """

    profile_name: str = ""
    source: str = ""
    snapshot: ProfileSnapshot = EMPTY
    environ: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, Resolved] = field(default_factory=dict)
    places: Places = field(default_factory=lambda: Places(EMPTY, {}))
    resolution: Resolution | None = None

    def chain(self) -> list[str]:
        """The profile in force and those below it, by `source_profile`, each once."""
        names: list[str] = []
        name: object = self.profile_name
        while isinstance(name, str) and name in self.snapshot.profiles and name not in names:
            names.append(name)
            name = self.snapshot.profiles[name].get("source_profile")
        return names

    def profile(self, name: str) -> FrozenSection:
        """The keys of a profile, of both files."""
        return self.snapshot.profiles.get(name, {})

    def where(self, *keys: str) -> str:
        """Where the first of these keys stands in the first profile of the chain that has one."""
        for name in self.chain():
            for key in keys:
                if key in self.profile(name):
                    return self.places.of_key(name, key)
        return ""

    def where_source(self) -> str:
        """Where the credentials in use come from, or an empty string."""
        if self.source == "env":
            return "AWS_ACCESS_KEY_ID"
        if self.source == "explicit":
            return "aws_access_key_id="
        return self.where(*KEYS_OF_SOURCES.get(self.source, ()))

    def setting(self, name: str) -> Resolved | None:
        """A setting that somebody gave, or `None`."""
        try:
            found = None if self.resolution is None else self.resolution.settings[name]
        except (KeyError, ValueError):  # it cannot be used, which is told elsewhere
            return None
        return None if found is None or found.origin.kind == "default" else found

    def where_set(self, name: str, key: str | tuple[str, str] | None = None) -> str:
        """Where a setting was given, or an empty string."""
        found = self.setting(name)
        return "" if found is None else self.places.where(str(found.origin), key or name)

    def endpoint_at(self, url: str, service: str = "sts") -> Resolved | None:
        """The endpoint that a request went to, if it is not AWS's own."""
        for resolved in self.endpoints.values():
            if url and url.startswith(str(resolved.value).rstrip("/")):
                return resolved
        return None if url else endpoint_of(service, self.endpoints)

    def where_endpoint(self, resolved: Resolved) -> str:
        """Where an endpoint was given."""
        origin = str(resolved.origin)
        name = next(name for name, value in self.endpoints.items() if value is resolved)
        service = name.partition(".")[2]
        if service and resolved.origin.kind == "file":
            return self.places.where(origin, (service, NAME))
        return self.places.where(origin, NAME)
