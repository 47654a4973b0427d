"""What `set_stream_logger` prints has no secret in it."""

import logging

import pytest

import asession
from asession._logging import log, redact

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize(
    "text",
    [
        f"aws_secret_access_key = {SECRET}",
        f"{{'SecretAccessKey': '{SECRET}', 'x': 1}}",
        f'{{"SessionToken": "{SECRET}"}}',
        f"<SecretAccessKey>{SECRET}</SecretAccessKey>",
        f"x-amz-security-token:{SECRET}",
        f"'X-Amz-Security-Token': b'{SECRET}'",
        f"'Authorization': 'AWS4-HMAC-SHA256 Credential=AKID/x, Signature={SECRET}'",
        f"Authorization: AWS4-HMAC-SHA256 Credential=AKID/x, SignedHeaders=a, Signature={SECRET}",
        f"?X-Amz-Signature={SECRET}&x=1",
        f"'TokenCode': '{SECRET}'",
        f"'WebIdentityToken': '{SECRET}'",
        f"refreshToken={SECRET}",
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
    ],
)
def test_values_of_credentials_are_masked(text):
    assert SECRET not in redact(text)
    assert "***" in redact(text)


def test_other_text_stays_as_it_is():
    text = "Calling list_objects with {'Bucket': 'b', 'Prefix': 'tokens/a'}; NextToken is absent"
    assert redact(text) == text


def test_a_wire_trace_of_a_session_has_no_secret(home, moto_url, capfd):
    import anyio

    async def main():
        session = asession.Session(
            "AKIAX", SECRET, "the-" + SECRET, region_name="us-east-1", endpoint_url=moto_url
        )
        async with session, session.client("sts") as sts:
            issued = await sts.get_session_token()
        return issued["Credentials"]["SecretAccessKey"], issued["Credentials"]["SessionToken"]

    root = logging.getLogger()
    before = list(root.handlers), root.level
    asession.set_stream_logger("")
    try:
        issued = anyio.run(main)
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
    printed = capfd.readouterr().err
    assert "GetSessionToken" in printed
    for secret in (SECRET, *issued):
        assert secret not in printed


def test_a_record_factory_that_sets_a_field_of_ours_breaks_nothing(caplog):
    plain = logging.getLogRecordFactory()

    def factory(*args, **kwargs):
        record = plain(*args, **kwargs)
        record.host = "web-1"
        return record

    logger = logging.getLogger("asession.http")
    logging.setLogRecordFactory(factory)
    try:
        with caplog.at_level(logging.DEBUG, "asession.http"):
            log(logger, logging.DEBUG, "connection.opened", "to %(host)s", host="s3.aws")
    finally:
        logging.setLogRecordFactory(plain)
    [record] = caplog.records
    assert (record.getMessage(), record.host) == ("to s3.aws", "web-1")
