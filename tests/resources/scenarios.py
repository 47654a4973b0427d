"""What a program does with the resources of each service; `scripts` makes it boto3's, too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.conditions import Attr, Key

__all__ = ["SCENARIOS"]

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "ec2.amazonaws.com"}}]}'
)
POLICY = (
    '{"Version": "2012-10-17", "Statement": '
    '[{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
)
TEMPLATE = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": %s}}}'


async def s3(aws: Any, name: str) -> Any:
    async with aws("s3") as s3:
        bucket = await s3.create_bucket(Bucket=name)
        await bucket.wait_until_exists()
        for number in range(5):
            await bucket.put_object(Key=f"dir/key {number}+é", Body=b"x" * number)
        obj = bucket.Object("dir/greeting")
        await obj.put(Body=b"hello", ContentType="text/plain", Metadata={"tone": "warm"})
        await obj.wait_until_exists()
        await obj.load()
        response = await obj.get(Range="bytes=1-3")
        body = await response["Body"].read()
        await bucket.Object("copy").copy_from(CopySource={"Bucket": name, "Key": obj.key})
        await obj.Acl().load()
        await bucket.Tagging().put(Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
        await bucket.Versioning().enable()
        upload = await bucket.Object("parts").initiate_multipart_upload(ContentType="a/b")
        part = upload.Part(1)
        tag = (await part.upload(Body=b"part"))["ETag"]
        await upload.complete(MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]})
        pages = [len(page) async for page in bucket.objects.page_size(3).pages()]
        keys = [item.key async for item in bucket.objects.filter(Prefix="dir/").limit(4)]
        found = [item.size async for item in bucket.objects.all()]
        await bucket.load()
        summary = s3.ObjectSummary(name, "copy")
        await summary.load()
        names = [found.name async for found in s3.buckets.all() if found.name == name]
        await bucket.objects.filter(Prefix="dir/").delete()
        await bucket.object_versions.delete()
        await bucket.delete()
        await bucket.wait_until_not_exists()
        return obj.key, body, pages, keys, found, summary.size, names, tag


async def dynamodb(aws: Any, name: str) -> Any:
    async with aws("dynamodb") as dynamodb:
        table = await dynamodb.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "line", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "line", "AttributeType": "N"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        await table.wait_until_exists()
        await table.load()
        await table.put_item(
            Item={"id": "a", "line": 1, "price": Decimal("1.5"), "raw": b"\0"},
            ConditionExpression=Attr("id").not_exists() | Attr("price").lt(2),
        )
        async with table.batch_writer() as batch:
            for line in range(30):
                await batch.put_item(Item={"id": "b", "line": line, "even": line % 2 == 0})
        async with table.batch_writer(overwrite_by_pkeys=["id", "line"]) as batch:
            for line in range(30):
                await batch.put_item(Item={"id": "c", "line": line % 4, "round": line})
            await batch.delete_item(Key={"id": "c", "line": 0})
        got = await table.get_item(Key={"id": "a", "line": 1}, ConsistentRead=True)
        queried = await table.query(
            KeyConditionExpression=Key("id").eq("b") & Key("line").between(3, 9),
            FilterExpression=Attr("even").eq(True) & ~Attr("line").is_in([4]),
        )
        scanned = await table.scan(FilterExpression=Attr("round").gte(28))
        updated = await table.update_item(
            Key={"id": "a", "line": 1},
            UpdateExpression="SET price = price + :n",
            ExpressionAttributeValues={":n": Decimal("0.25")},
            ReturnValues="ALL_NEW",
        )
        many = await dynamodb.batch_get_item(
            RequestItems={name: {"Keys": [{"id": "c", "line": line} for line in (1, 2)]}}
        )
        await table.delete_item(Key={"id": "a", "line": 1})
        tables = [found.name async for found in dynamodb.tables.all() if found.name == name]
        await table.delete()
        await table.wait_until_not_exists()
        return (
            got["Item"],
            [item["line"] for item in queried["Items"]],
            sorted(item["round"] for item in scanned["Items"]),
            updated["Attributes"]["price"],
            sorted(item["round"] for item in many["Responses"][name]),
            tables,
        )


async def ec2(aws: Any, name: str) -> Any:
    async with aws("ec2") as ec2:
        vpc = await ec2.create_vpc(CidrBlock="10.0.0.0/16")
        await vpc.wait_until_available()
        subnet = await vpc.create_subnet(CidrBlock="10.0.1.0/24")
        tags = await ec2.create_tags(
            Resources=[vpc.id, subnet.id],
            Tags=[{"Key": "name", "Value": name}, {"Key": "k", "Value": "v"}],
        )
        await subnet.create_tags(Tags=[{"Key": "one", "Value": "more"}])
        group = await vpc.create_security_group(GroupName=name, Description="for a test")
        await group.authorize_ingress(IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8")
        await group.load()
        instances = await subnet.create_instances(
            ImageId="ami-12c6146b", MinCount=2, MaxCount=2, InstanceType="t2.micro"
        )
        await instances[0].wait_until_running()
        await ec2.create_tags(Resources=[instances[0].id], Tags=[{"Key": "a", "Value": "b"}])
        await instances[0].delete_tags(Tags=[{"Key": "a"}])
        await instances[0].load()
        in_subnet = [one.id async for one in subnet.instances.page_size(5)]
        tagged = [
            found.id
            async for found in ec2.vpcs.filter(Filters=[{"Name": "tag:name", "Values": [name]}])
        ]
        stopped = await subnet.instances.filter(InstanceIds=[instances[1].id]).stop()
        await subnet.instances.terminate()
        await instances[0].wait_until_terminated()
        references = instances[0].vpc == vpc, instances[0].subnet == subnet
        await group.delete()
        await subnet.delete()
        await vpc.delete()
        return (
            [(tag.key, tag.value) for tag in tags],
            len(in_subnet),
            len(tagged),
            len(stopped),
            references,
            len(group.ip_permissions) if group.meta.data else None,
        )


async def sqs(aws: Any, name: str) -> Any:
    async with aws("sqs") as sqs:
        queue = await sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "1"})
        same = await sqs.get_queue_by_name(QueueName=name)
        await queue.send_message(
            MessageBody="zero",
            MessageAttributes={"n": {"DataType": "Number", "StringValue": "0"}},
        )
        await queue.send_messages(
            Entries=[{"Id": str(number), "MessageBody": f"m{number}"} for number in range(3)]
        )
        received = await queue.receive_messages(
            MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        )
        await received[0].change_visibility(VisibilityTimeout=30)
        await received[0].delete()
        await queue.delete_messages(
            Entries=[
                {"Id": str(number), "ReceiptHandle": message.receipt_handle}
                for number, message in enumerate(received[1:])
            ]
        )
        await queue.set_attributes(Attributes={"DelaySeconds": "3"})
        await queue.load()
        found = [one.url async for one in sqs.queues.filter(QueueNamePrefix=name)]
        await queue.purge()
        await queue.delete()
        bodies = sorted(message.body for message in received)
        return same == queue, bodies, queue.url, found


async def sns(aws: Any, name: str) -> Any:
    async with aws("sns") as sns:
        topic = await sns.create_topic(Name=name)
        await topic.set_attributes(AttributeName="DisplayName", AttributeValue="for a test")
        subscription = await topic.subscribe(
            Protocol="email",
            Endpoint="somebody@example.com",
            ReturnSubscriptionArn=True,
        )
        await subscription.load()
        await subscription.set_attributes(AttributeName="RawMessageDelivery", AttributeValue="true")
        await topic.publish(
            Message="hello", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}}
        )
        subscriptions = [one.arn async for one in topic.subscriptions.all()]
        topics = [one.arn async for one in sns.topics.all() if one.arn == topic.arn]
        await topic.load()
        shown = topic.attributes["DisplayName"]
        await subscription.delete()
        await topic.delete()
        return topic.arn, len(subscriptions), topics, shown


async def iam(aws: Any, name: str) -> Any:
    async with aws("iam") as iam:
        user = await iam.create_user(UserName=name, Path="/test/")
        await user.load()
        pair = await user.create_access_key_pair()
        await pair.deactivate()
        keys = [key.status async for key in user.access_keys.all()]
        await pair.delete()
        policy = await iam.create_policy(PolicyName=name, PolicyDocument=POLICY)
        await user.attach_policy(PolicyArn=policy.arn)
        attached = [one.arn async for one in user.attached_policies.all()]
        group = await iam.create_group(GroupName=name)
        await group.add_user(UserName=name)
        members = [one.name async for one in group.users.all()]
        await group.remove_user(UserName=name)
        role = await iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        await role.Policy("inline").put(PolicyDocument=POLICY)
        inline = [one.name async for one in role.policies.all()]
        await role.AssumeRolePolicy().update(PolicyDocument=TRUST)
        profile = await iam.create_instance_profile(InstanceProfileName=name)
        await profile.add_role(RoleName=name)
        await profile.load()
        roles = [one.name for one in profile.roles]
        await profile.remove_role(RoleName=name)
        await profile.delete()
        version = await policy.create_version(PolicyDocument=POLICY, SetAsDefault=False)
        await version.delete()
        await user.detach_policy(PolicyArn=policy.arn)
        users = [one.name async for one in iam.users.filter(PathPrefix="/test/").limit(1)]
        await role.Policy("inline").delete()
        for thing in (policy, role, group, user):
            await thing.delete()
        return keys, attached, members, inline, roles, users


async def cloudformation(aws: Any, name: str) -> Any:
    async with aws("cloudformation") as cloudformation:
        stack = await cloudformation.create_stack(StackName=name, TemplateBody=TEMPLATE % "{}")
        await stack.load()
        status = stack.stack_status
        events = [event.logical_resource_id async for event in stack.events.all()]
        resources = [one.logical_id async for one in stack.resource_summaries.all()]
        resource = stack.Resource("Topic")
        await resource.load()
        kind = resource.resource_type
        await stack.update(TemplateBody=TEMPLATE % '{"DisplayName": "another"}')
        found = [one.name async for one in cloudformation.stacks.filter(StackName=name)]
        await stack.delete()
        return status, events, resources, kind, found


async def cloudwatch(aws: Any, name: str) -> Any:
    async with aws("cloudwatch") as cloudwatch:
        metric = cloudwatch.Metric(name, "latency")
        dimensions = [{"Name": "host", "Value": "a"}]
        await metric.put_data(
            MetricData=[
                {
                    "MetricName": "latency",
                    "Dimensions": dimensions,
                    "Timestamp": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
                    "Value": 1.5,
                    "Unit": "Seconds",
                }
            ]
        )
        statistics = await metric.get_statistics(
            Dimensions=dimensions,
            StartTime=datetime(2026, 1, 2, tzinfo=UTC),
            EndTime=datetime(2026, 1, 3, tzinfo=UTC),
            Period=3600,
            Statistics=["Maximum"],
        )
        alarm = await metric.put_alarm(
            AlarmName=name,
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Period=60,
            Statistic="Average",
            Threshold=1.0,
        )
        await alarm.set_state(StateValue="ALARM", StateReason="for a test")
        await alarm.disable_actions()
        await alarm.load()
        state = alarm.state_value
        of_metric = [one.name async for one in metric.alarms.all()]
        listed = [one.name async for one in cloudwatch.metrics.filter(Namespace=name)]
        named = cloudwatch.alarms.filter(AlarmNames=[name])
        await named.enable_actions()
        await named.delete()
        return len(statistics["Datapoints"]), state, of_metric, listed


async def glacier(aws: Any, name: str) -> Any:
    async with aws("glacier") as glacier:
        vault = await glacier.Account("-").create_vault(vaultName=name)
        await vault.load()
        archive = await vault.upload_archive(archiveDescription="for a test", body=b"frozen" * 10)
        job = await vault.initiate_inventory_retrieval()
        await job.load()
        retrieval = await archive.initiate_archive_retrieval()
        await retrieval.load()
        jobs = [one.id async for one in vault.jobs.all()]
        vaults = [one.name async for one in glacier.Account("-").vaults.all() if one.name == name]
        await archive.delete()
        await vault.delete()
        return vault.vault_arn if vault.meta.data else None, len(jobs), job.action, vaults


SCENARIOS: Mapping[str, Any] = {
    function.__name__: function
    for function in (s3, dynamodb, ec2, sqs, sns, iam, cloudformation, cloudwatch, glacier)
}
