"""What type checkers make of clients without any types installed: nothing; checked, never run."""

from typing import Any, assert_type

import asession
from asession import Session


async def clients(session: Session, name: str) -> int:
    async with session.client("s3") as s3:
        assert_type(s3, Any)
        answer = await s3.list_buckets()
        for bucket in answer["Buckets"]:
            print(bucket["Name"])
        await s3.upload_file("a.txt", "bucket", "a.txt")
    sqs = await session.client("sqs", "eu-west-1", verify=False)
    assert_type(sqs, Any)
    queues = await sqs.list_queues()
    async with asession.client(name) as client:
        assert_type(client, Any)
        await client.anything()
    async with session.client("a-new-service") as client:
        assert_type(client, Any)
    return len(queues)


async def resources(session: Session) -> None:
    async with asession.resource("dynamodb") as dynamodb:
        assert_type(dynamodb, Any)
        table = dynamodb.Table("orders")
        await table.put_item(Item={"id": "1"})
        async for item in table.scan_items():
            print(item)
    s3 = await session.resource("s3")
    assert_type(s3, Any)
    print((await s3.Bucket("reports").load()).creation_date)


class Recording(Session):
    """A session of one's own may override `client`."""

    def client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        return super().client(service_name, *args, **kwargs)


def misuse(session: Session) -> None:
    session.client("s3", region="eu-west-1")  # wrong
    session.client("s3").list_buckets()  # wrong
    session.client()  # wrong
