"""The signer chooses, emits and refreshes as upstream's, and remembers few keys, none shown."""

from __future__ import annotations

import pickle

import pytest
from aiobotocore.hooks import AioHierarchicalEmitter
from aiobotocore.signers import AioRequestSigner
from botocore import UNSIGNED, auth
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from botocore.model import ServiceId

import asession
from asession._aws.signing import Memory, RequestSigner
from aws.signatures import PLAIN, SECRET, SESSION, request, signed_by_botocore

pytestmark = pytest.mark.anyio


async def test_a_key_is_derived_once_per_secret_day_region_and_service():
    memory = Memory()
    key = memory.key(SECRET, "20150830", "us-east-1", "iam")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    assert memory.key(SECRET, "20150830", "us-east-1", "iam") is key
    others = [
        memory.key("other", "20150830", "us-east-1", "iam"),
        memory.key(SECRET, "20150831", "us-east-1", "iam"),
        memory.key(SECRET, "20150830", "us-east-2", "iam"),
        memory.key(SECRET, "20150830", "us-east-1", "sts"),
    ]
    assert len({key, *others}) == 5


async def test_the_memory_is_bounded_and_shows_no_secret():
    memory = Memory()
    for number in range(100):
        memory.key(f"secret-{number}", "20150830", "us-east-1", "iam")
        memory.host(f"https://h{number}.example/")
    assert repr(memory) == "Memory(keys=16, hosts=16)"
    assert b"secret" not in pickle.dumps(memory)
    assert repr(pickle.loads(pickle.dumps(memory))) == "Memory(keys=0, hosts=0)"


class Frozen:
    def __init__(self, credentials):
        self.credentials = credentials

    async def get_frozen_credentials(self):
        return self.credentials


def signers(version="v4", credentials=PLAIN):
    emitter = AioHierarchicalEmitter()
    upstream = AioRequestSigner(
        ServiceId("My Service"), "us-east-1", "ec2", version, Frozen(credentials), emitter
    )
    return emitter, upstream, RequestSigner.replacing(upstream)


async def test_the_signer_signs_as_upstreams_and_emits_its_events():
    emitter, _, signer = signers()
    seen = []
    emitter.register("choose-signer", lambda **kwargs: seen.append(("choose", kwargs)))
    emitter.register("before-sign", lambda **kwargs: seen.append(("before", kwargs)))
    made, other = request(headers={"X-A": "1"}), request(headers={"X-A": "1"})
    await signer.sign("Get", made)
    signed_by_botocore(other, made.context["timestamp"])
    assert made.headers.items() == other.headers.items()
    assert [name for name, _ in seen] == ["choose", "before"]
    assert seen[0][1]["event_name"] == "choose-signer.my-service.Get"
    assert seen[1][1]["request_signer"] is signer


async def test_a_handler_may_choose_another_signature_or_none():
    emitter, _, signer = signers()
    emitter.register("choose-signer.my-service.Free", lambda **kwargs: UNSIGNED)
    emitter.register("choose-signer.my-service.Store", lambda **kwargs: "s3v4")
    free, store = request(), request()
    await signer.sign("Free", free)
    await signer.sign("Store", store)
    assert "Authorization" not in free.headers
    assert "X-Amz-Content-SHA256" in store.headers


async def test_the_region_and_name_of_the_request_go_first():
    _emitter, _, signer = signers()  # of which the signer holds a weak reference alone
    made = request(signing={"region": "eu-west-1", "signing_name": "s3"})
    await signer.sign("Get", made)
    assert "/eu-west-1/s3/aws4_request" in made.headers["Authorization"]


@pytest.mark.parametrize(
    "version", ["v2", "v3", "s3", "v4-query", "s3v4-query", "s3v4-presign-post"]
)
async def test_other_signatures_are_left_to_botocores_classes(version):
    _, upstream, signer = signers()
    given = await signer.get_auth_instance("ec2", "us-east-1", version)
    assert type(given) is type(await upstream.get_auth_instance("ec2", "us-east-1", version))


async def test_a_class_of_the_users_own_stays(monkeypatch):
    class Mine(auth.SigV4Auth):
        pass

    monkeypatch.setitem(auth.AUTH_TYPE_MAPS, "v4", Mine)
    _, _, signer = signers()
    assert type(await signer.get_auth_instance("ec2", "us-east-1")) is Mine


async def test_express_sessions_are_signed_as_by_botocore():
    class Identities:
        async def get_credentials(self, key):
            return Frozen(SESSION)

    _, upstream, signer = signers()
    pair = []
    for each in (signer, upstream):
        given = await each.get_auth_instance(
            "s3express", "us-east-1", "v4-s3express", identity_cache=Identities(), cache_key="k"
        )
        made = request("https://b--x-s3.s3express.amazonaws.com/k", "PUT", data=b"x")
        made.context["timestamp"] = "20150830T123600Z"
        given._modify_request_before_signing(made)
        canonical = given.canonical_request(made)
        pair.append((made.headers.items(), canonical, given.signature(canonical, made)))
        given.add_auth(made)
        assert made.headers["x-amz-s3session-token"] == SESSION.token
        assert "X-Amz-Security-Token" not in made.headers
    assert pair[0] == pair[1]


async def test_presigned_urls_are_made_by_botocores_class():
    _emitter, _, signer = signers("s3v4", SESSION)
    url = await signer.generate_presigned_url(
        {
            "url_path": "/k",
            "query_string": {},
            "headers": {},
            "body": b"",
            "method": "GET",
            "url": "https://b.s3.amazonaws.com/k",
            "context": {},
        },
        "GetObject",
    )
    assert "X-Amz-Signature=" in url


async def test_refreshed_credentials_sign_the_next_request():
    _emitter, upstream, signer = signers()
    for secret in ("one", "two"):
        upstream._credentials.credentials = ReadOnlyCredentials("AKID", secret, None)
        made, other = request(), request()
        await signer.sign("Get", made)
        signed_by_botocore(
            other, made.context["timestamp"], credentials=upstream._credentials.credentials
        )
        assert made.headers["Authorization"] == other.headers["Authorization"]


async def test_a_server_that_checks_signatures_accepts_ours(seaweed, random_name):
    session = asession.Session(
        aws_access_key_id=seaweed.access_key,
        aws_secret_access_key=seaweed.secret_key,
        region_name="us-east-1",
        endpoint_url=seaweed.url,
    )
    bucket, keys = random_name(), ["a b//c", "ü/€ +~", "x=y&z"]
    async with session.client("s3") as s3:
        assert isinstance(s3._request_signer, RequestSigner)
        await s3.create_bucket(Bucket=bucket)
        for key in keys:
            await s3.put_object(Bucket=bucket, Key=key, Body=b"body", Metadata={"a": "b   c"})
            got = await s3.get_object(Bucket=bucket, Key=key)
            assert await got["Body"].read() == b"body"
        listed = await s3.list_objects_v2(Bucket=bucket)
        assert len(listed["Contents"]) == len(keys)
    wrong = asession.Session(
        aws_access_key_id=seaweed.access_key,
        aws_secret_access_key="not the secret",
        region_name="us-east-1",
        endpoint_url=seaweed.url,
    )
    async with wrong.client("s3") as s3:
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            await s3.list_objects_v2(Bucket=bucket)
