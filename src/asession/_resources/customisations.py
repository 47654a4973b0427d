"""What boto3 adds by hand to the generated classes of single services, in async form."""

from __future__ import annotations

from typing import Any

from boto3.dynamodb.transform import register_high_level_interface
from boto3.resources.action import CustomModeledAction

from asession._resources.base import load_method
from asession._resources.factory import Customisations
from asession.exceptions import ClientError


async def _fetch_bucket(bucket: Any) -> dict[str, Any]:
    # HeadBucket knows no creation date. Without the right to list buckets, or in the account of
    # somebody else, a bucket is loaded but has no data.
    try:
        response = await bucket.meta.client.list_buckets()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "AccessDenied":
            raise
        return {}
    found: dict[str, Any]
    for found in response["Buckets"]:
        if found["Name"] == bucket.name:
            return found
    return {}


async def _fetch_object_summary(summary: Any) -> dict[str, Any]:
    data: dict[str, Any] = await summary.meta.client.head_object(
        Bucket=summary.bucket_name, Key=summary.key
    )
    # A listing, which is where summaries come from, calls the length by another name.
    if "ContentLength" in data:
        data["Size"] = data.pop("ContentLength")
    return data


def _add_bucket_load(class_attributes: dict[str, Any], **_kwargs: Any) -> None:
    async def load(bucket: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call ListBuckets to update the attributes of this bucket."""
        return await fetch(bucket)

    fetch = load_method(_fetch_bucket)
    class_attributes["load"] = load


def _add_object_summary_load(class_attributes: dict[str, Any], **_kwargs: Any) -> None:
    async def load(summary: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call HeadObject to update the attributes of this object summary."""
        return await fetch(summary)

    fetch = load_method(_fetch_object_summary)
    class_attributes["load"] = load


def _add_create_tags(class_attributes: dict[str, Any], **_kwargs: Any) -> None:
    async def create_tags(ec2: Any, /, **kwargs: Any) -> list[Any]:
        """Put every tag of ``Tags`` on every resource of ``Resources``; return the tags."""
        await ec2.meta.client.create_tags(**kwargs)
        return [
            ec2.Tag(resource, tag["Key"], tag["Value"])
            for resource in kwargs.get("Resources", [])
            for tag in kwargs.get("Tags", [])
        ]

    class_attributes["create_tags"] = create_tags


_DELETE_TAGS = {
    "request": {
        "operation": "DeleteTags",
        "params": [{"target": "Resources[0]", "source": "identifier", "name": "Id"}],
    }
}


def _add_delete_tags(event_emitter: Any, **kwargs: Any) -> None:
    async def delete_tags(instance: Any, /, **kwargs: Any) -> Any:
        kwargs["Resources"] = [instance.id]
        return await instance.meta.client.delete_tags(**kwargs)

    # boto3's own way to give a hand-written action a generated docstring.
    action = CustomModeledAction("delete_tags", _DELETE_TAGS, delete_tags, event_emitter)
    action.inject(**kwargs)


BUILT_IN: Customisations = {
    "dynamodb": (register_high_level_interface,),
    "ec2.Instance": (_add_delete_tags,),
    "ec2.ServiceResource": (_add_create_tags,),
    "s3.Bucket": (_add_bucket_load,),
    "s3.ObjectSummary": (_add_object_summary_load,),
}
"""Applied to every factory before anything else; `load` is boto3's too, the rest of S3 is not here:
transfers are added by those who have them."""
