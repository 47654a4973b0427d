"""The same question to many accounts at once: a role in each, a few at a time, errors kept apart.

Run it with ``python examples/multi_account_fan_out.py [--backend trio]``, and with ``--endpoint-url
URL`` or ``AWS_ENDPOINT_URL`` against a local server.
"""

from __future__ import annotations

import argparse
import secrets

import anyio

import asession
from asession import Session, fan_out

ACCOUNTS = [f"{number:012d}" for number in range(111111111111, 111111111117)]
# The same name in every account: tables belong to an account and a region.
TABLE = f"orders-{secrets.token_hex(4)}"


def role_in(account: str) -> str:
    return f"arn:aws:iam::{account}:role/audit"


async def set_up(session: Session) -> None:
    """A table with a few items in every account but the last one."""
    account = await session.account_id()
    if account == ACCOUNTS[-1]:
        return
    async with session.resource("dynamodb") as dynamodb:
        table = await dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        await table.wait_until_exists()
        async with table.batch_writer() as batch:
            for number in range(ACCOUNTS.index(account) + 1):
                await batch.put_item(Item={"id": f"{account}-{number}"})


async def orders_of_account(session: Session) -> tuple[str, list[str]]:
    # The session is the current one, so that what is called from here needs no argument.
    async with asession.client("sts") as sts, asession.resource("dynamodb") as dynamodb:
        identity = await sts.get_caller_identity()
        items = dynamodb.Table(TABLE).scan_items()
        return identity["Account"], sorted([item["id"] async for item in items])


async def clean_up(session: Session) -> None:
    async with session.resource("dynamodb") as dynamodb:
        await dynamodb.Table(TABLE).delete()


async def main(endpoint_url: str | None = None) -> None:
    async with Session(endpoint_url=endpoint_url) as session:
        # Six hundred would do as well: nobody is asked before a session signs its first request.
        roles = {session.assume_role(role_in(account)): account for account in ACCOUNTS}
        async for done in fan_out(roles, set_up):
            done.unwrap()

        total = 0
        async with fan_out(roles, orders_of_account, limit=3) as results:
            async for result in results:
                account = roles[result.session]
                if result.value is None:
                    print(f"{account}: {result.error}")
                    continue
                asked_in, orders = result.value
                print(f"{account}: {len(orders)} orders, found in {asked_in}:", *orders[:1])
                total += len(orders)
        print("orders in all:", total)
        async for _ in fan_out(roles, clean_up):
            pass  # one of them has nothing to delete


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--backend", default="asyncio", choices=["asyncio", "trio"])
    given = parser.parse_args()
    anyio.run(main, given.endpoint_url, backend=given.backend)
