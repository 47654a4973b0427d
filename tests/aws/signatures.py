"""Requests to sign, and botocore's own steps to sign them with."""

from __future__ import annotations

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from asession._aws import signing
from asession._aws.signing import Memory

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
PLAIN = ReadOnlyCredentials("AKIDEXAMPLE", SECRET, None)
SESSION = ReadOnlyCredentials("AKIDEXAMPLE", SECRET, "the/session==token")
CLASSES = {"v4": (auth.SigV4Auth, "ec2"), "s3v4": (auth.S3SigV4Auth, "s3")}


def request(url="https://example.amazonaws.com/", method="GET", headers=(), data=b"", **context):
    made = AWSRequest(method=method, url=url, data=data)
    for name, value in dict(headers).items() if isinstance(headers, dict) else headers:
        made.headers[name] = value
    made.params = context.pop("params", {})
    made.context.update(context)
    return made


def ours(kind="v4", credentials=PLAIN, memory=None, region="us-east-1"):
    upstream, service = CLASSES[kind]
    given = upstream(credentials, service, region)
    return signing._OURS[upstream].instead_of(given, memory or Memory())


def signed_by_botocore(made, timestamp, kind="v4", credentials=PLAIN, region="us-east-1"):
    """The steps of botocore's `add_auth` with a time of our choosing."""
    upstream, service = CLASSES[kind]
    oracle = upstream(credentials, service, region)
    made.context["timestamp"] = timestamp
    oracle._modify_request_before_signing(made)
    canonical = oracle.canonical_request(made)
    to_sign = oracle.string_to_sign(made, canonical)
    oracle._inject_signature_to_request(made, oracle.signature(to_sign, made))
    return canonical, to_sign
