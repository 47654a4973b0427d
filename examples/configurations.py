"""What a session can be configured with: boto3's "session configurations", and a few more.

Run it with ``python examples/configurations.py [--backend trio]``, and with ``--endpoint-url URL``
or ``AWS_ENDPOINT_URL`` against a local server.
"""

from __future__ import annotations

import argparse

import anyio

from asession import Config, Session

PROFILES = {
    "default": {"region": "eu-west-1"},
    "batch": {
        "region": "us-east-1",
        "aws_access_key_id": "AKIABATCH",
        "aws_secret_access_key": "secret",
        "max_attempts": "10",
    },
}


async def show(title: str, session: Session) -> None:
    async with session:
        credentials = await session.get_credentials()
        async with session.client("s3") as s3:
            await s3.list_buckets()
            print(
                f"{title}: profile {session.profile_name}, region {s3.meta.region_name}, "
                f"key {credentials.access_key if credentials else None}"
            )


async def main(endpoint_url: str | None = None) -> None:
    keys = Session(
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",
        aws_session_token="token",
        region_name="us-west-2",
        endpoint_url=endpoint_url,
    )
    await show("explicit keys", keys)

    # The same session with something changed; the first one stays as it is.
    await show("another region", keys.replace(region_name="eu-central-1"))

    # Profiles and environment from mappings: no file and no variable of the machine counts.
    isolated = Session(
        profile_name="batch", profiles=PROFILES, environ={}, endpoint_url=endpoint_url
    )
    await show("profiles of its own", isolated)

    # The default configuration of all clients of the session.
    tuned = isolated.replace(config=Config(connect_timeout=2, retries={"mode": "standard"}))
    await show("client configuration", tuned)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    anyio.run(main, given.endpoint_url, backend=given.backend)
