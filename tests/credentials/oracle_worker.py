"""Loads credentials with botocore alone: a job a line on standard input, an outcome a line out."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import botocore.credentials
import botocore.loaders
import botocore.session
import botocore.tokens
import botocore.utils
from botocore.exceptions import ClientError

from credentials.outcomes import of_credentials, of_error


def main() -> None:
    """Answer until the input ends."""
    loader = botocore.loaders.create_loader()  # shared: it keeps the models it has read
    botocore.utils.ContainerMetadataFetcher.SLEEP_TIME = 0
    for line in sys.stdin:
        print(json.dumps(_outcome(json.loads(line), loader)), flush=True)


def _outcome(job: dict[str, Any], loader: Any) -> dict[str, Any]:
    os.environ.clear()
    os.environ.update(job["environ"])
    # Constants of botocore: link-local, and a directory of the home the process began with.
    botocore.utils.ContainerMetadataFetcher.IP_ADDRESS = job["container"]
    cache = os.path.join(os.environ["HOME"], ".aws", "sso", "cache")
    botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR = cache
    botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR = cache
    try:
        session = _session(job["session"], loader, job["mfa"])
        if job["ask"] is not None:
            return _request(session, **job["ask"])
        credentials = session.get_credentials()
        if credentials is None:
            return {"credentials": None}
        frozen = credentials.get_frozen_credentials()
    except Exception as error:
        return of_error(error)
    expires = getattr(credentials, "_expiry_time", None)
    return of_credentials(frozen, credentials.method, expires)


def _session(arguments: dict[str, Any], loader: Any, code: str) -> Any:
    session = botocore.session.Session(profile=arguments.get("profile_name"))
    session.register_component("data_loader", loader)
    if "aws_access_key_id" in arguments:
        session.set_credentials(
            arguments["aws_access_key_id"],
            arguments["aws_secret_access_key"],
            arguments.get("aws_session_token"),
            arguments.get("aws_account_id"),
        )
    else:
        resolver = session.get_component("credential_provider")
        resolver.get_provider("assume-role")._prompter = lambda _prompt: code
    return session


def _request(session: Any, service: str, operation: str) -> dict[str, Any]:
    client = session.create_client(service)
    try:
        getattr(client, operation)()
    except ClientError:
        pass  # the server knows no such operation; the request is what counts
    return {}


if __name__ == "__main__":
    main()
