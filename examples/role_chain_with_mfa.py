"""A profile that leads over two roles, the first of which wants a code of an MFA device.

The user's keys and a code give the role ``gate``, whose keys give the role ``deploy``.

Run it with ``python examples/role_chain_with_mfa.py [--code 123456] [--backend trio]``, and with
``--endpoint-url URL`` or ``AWS_ENDPOINT_URL`` against a local server.
"""

from __future__ import annotations

import argparse

import anyio

import asession
from asession import Session

# What would stand in ~/.aws/config and ~/.aws/credentials.
PROFILES = {
    "ann": {"aws_access_key_id": "AKIAANN", "aws_secret_access_key": "secret"},
    "gate": {
        "role_arn": "arn:aws:iam::111111111111:role/gate",
        "source_profile": "ann",
        "mfa_serial": "arn:aws:iam::111111111111:mfa/ann",
        "role_session_name": "ann",
    },
    "deploy": {
        "role_arn": "arn:aws:iam::222222222222:role/deploy",
        "source_profile": "gate",
        "role_session_name": "ann",
        "region": "eu-west-1",
    },
}


async def main(endpoint_url: str | None = None, code: str = "123456") -> None:
    async def ask(serial: str) -> str:
        # A window, a chat, a web page: while somebody looks for the device, other tasks go on.
        print("a code is asked for, of", serial)
        await anyio.sleep(0.1)
        return code

    async def tell(what: str) -> None:
        async with asession.client("sts") as sts:
            print(f"{what}:", (await sts.get_caller_identity())["Arn"])

    deploy = Session(profile_name="deploy", profiles=PROFILES, endpoint_url=endpoint_url, mfa=ask)
    async with deploy:
        # Many tasks need the keys at once: one of them asks, the others wait.
        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(tell, f"task {number}")

        # A third role, from code. It is another session, and shares the keys that it starts from.
        narrow = deploy.assume_role(
            "arn:aws:iam::222222222222:role/read-only", RoleSessionName="ann"
        )
        with asession.use_session(narrow):
            await tell("one more role")

    explanation = await deploy.explain()
    print("profile:", explanation.profile_name, "method:", explanation.method)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--code", default="123456")
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    anyio.run(main, given.endpoint_url, given.code, backend=given.backend)
