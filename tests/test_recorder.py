"""The recorder keeps, forwards and answers requests as the other tests believe."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from servers.answers import (
    AwsAnswers,
    ContainerCredentials,
    InstanceMetadata,
    access_key_for,
    secret_key_for,
)
from servers.process import HOST
from servers.recorder import RecordedRequest, Recorder, Reply
from servers.seaweedfs import Seaweed
from servers.sync import get, sync_client

ROLE = "arn:aws:iam::123456789012:role/reader"


def test_signatures_stay_valid_through_the_recorder(
    seaweed: Seaweed, random_name: Callable[[], str]
) -> None:
    bucket = random_name()
    with (
        Recorder(upstream=seaweed.url) as recorder,
        sync_client("s3", recorder.url, seaweed.access_key, seaweed.secret_key) as s3,
    ):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="k ü", Body=b"x" * 300_000)
        assert s3.head_object(Bucket=bucket, Key="k ü")["ContentLength"] == 300_000
        assert s3.get_object(Bucket=bucket, Key="k ü")["Body"].read() == b"x" * 300_000
        s3.delete_object(Bucket=bucket, Key="k ü")
        recorded = recorder.requests
    assert [request.method for request in recorded] == ["PUT", "PUT", "HEAD", "GET", "DELETE"]
    assert {request.access_key for request in recorded} == {seaweed.access_key}
    assert {(request.region, request.service) for request in recorded} == {("eu-west-1", "s3")}
    assert recorded[-1].path == f"/{bucket}/k ü"


def test_the_recorder_tells_who_asked_for_what(moto_url: str) -> None:
    with Recorder(upstream=moto_url) as recorder:
        with sync_client("sqs", recorder.url, "AKIDONE") as sqs:
            sqs.list_queues()
        with sync_client("sts", recorder.url, "AKIDTWO") as sts:
            sts.get_caller_identity()
        with sync_client("s3", recorder.url, "AKIDTHREE") as s3:
            url = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
            get(url, {"X-Test-Tag": "old signature"})
        with sync_client("ssm", recorder.url, "AKIDFOUR") as ssm:
            get(ssm.generate_presigned_url("get_parameter", Params={"Name": "n"}))
        seen = [(r.access_key, r.service, r.action, r.tag) for r in recorder.requests]
        recorder.clear()
        assert recorder.requests == []
    assert seen == [
        ("AKIDONE", "sqs", "ListQueues", None),
        ("AKIDTWO", "sts", "GetCallerIdentity", None),
        ("AKIDTHREE", None, None, "old signature"),
        ("AKIDFOUR", "ssm", None, None),
    ]


def test_the_canned_answers_satisfy_botocore() -> None:
    answers = AwsAnswers(expires_in=900)
    with Recorder(answers) as recorder:
        url = recorder.url
        with sync_client("s3", url, "AKIDONE") as s3:
            assert s3.list_buckets()["Owner"]["ID"] == "AKIDONE"
            with pytest.raises(ClientError, match="UnknownOperation"):
                s3.get_object(Bucket="b", Key="k")
        with sync_client("dynamodb", url) as dynamodb:
            assert dynamodb.list_tables()["TableNames"] == []
        with sync_client("sts", url, "AKIDONE") as sts:
            assert sts.get_caller_identity()["Arn"].endswith("/AKIDONE")
            role = {"RoleArn": ROLE, "RoleSessionName": "session"}
            first, second = (sts.assume_role(**role)["Credentials"] for _ in "ab")
            session = sts.get_session_token()["Credentials"]
            assert session["AccessKeyId"] == access_key_for("AKIDONE")
        with sync_client("sso", url) as sso:
            given = sso.get_role_credentials(roleName="r", accountId="1", accessToken="t")
            assert given["roleCredentials"]["accessKeyId"] == access_key_for("1/r")
    assert first["AccessKeyId"] == second["AccessKeyId"] == access_key_for(ROLE)
    assert first["SecretAccessKey"] == secret_key_for(ROLE)
    assert (first["SessionToken"], second["SessionToken"]) == ("token-1", "token-2")
    assert 800 < first["Expiration"].timestamp() - time.time() <= 900
    assert answers.issuer.issued == 4


def test_metadata_is_given_for_the_right_token_only() -> None:
    with Recorder(InstanceMetadata("web")) as recorder:
        base = f"{recorder.url}/latest"
        path = f"{base}/meta-data/iam/security-credentials/"
        assert get(path)[0] == 401
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        token = {"X-aws-ec2-metadata-token": get(f"{base}/api/token", ttl, "PUT")[1].decode()}
        assert get(path, token) == (200, b"web")
        assert access_key_for("web").encode() in get(path + "web", token)[1]
    with Recorder(ContainerCredentials("right", path="/c")) as recorder:
        assert get(f"{recorder.url}/c", {"Authorization": "wrong"})[0] == 403
        status, body = get(f"{recorder.url}/c", {"Authorization": "right"})
        assert (status, access_key_for("/c").encode() in body) == (200, True)


def test_the_recorder_keeps_connections_and_undoes_chunks() -> None:
    with Recorder(lambda request: Reply(body=request.body)) as recorder:
        connection = http.client.HTTPConnection(HOST, recorder.port)
        for text in (b"one", b"two"):
            connection.request("PUT", "/x", iter([text, b"!"]), encode_chunked=True)
            assert connection.getresponse().read() == text + b"!"
        assert recorder.connections_open == 1
        connection.close()
        requests = recorder.requests
    assert [request.connection for request in requests] == [1, 1]
    assert recorder.connections_opened == 1


def test_the_recorder_delays_and_drops() -> None:
    def answer(request: RecordedRequest) -> Reply:
        return Reply(drop=True) if request.path == "/drop" else Reply(delay=0.2)

    with Recorder(answer) as recorder:
        began = time.monotonic()
        assert get(f"{recorder.url}/delay")[0] == 200
        assert time.monotonic() - began >= 0.2
        with pytest.raises(http.client.RemoteDisconnected):
            get(f"{recorder.url}/drop")
        assert len(recorder.requests) == 2


def test_the_recorder_raises_what_its_answer_raised() -> None:
    def answer(request: RecordedRequest) -> Reply:
        raise LookupError("a mistake in the test")

    with (
        pytest.raises(LookupError, match="a mistake"),
        Recorder(answer) as recorder,
        contextlib.suppress(http.client.RemoteDisconnected),
    ):
        get(recorder.url)


def test_leaving_a_recorder_closes_its_port_and_open_connections() -> None:
    with Recorder(lambda request: Reply(delay=60)) as recorder:
        connection = http.client.HTTPConnection(HOST, recorder.port, timeout=10)
        connection.request("GET", "/")
        while not recorder.requests:
            time.sleep(0.01)
    with contextlib.closing(connection), pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, recorder.port)) != 0
