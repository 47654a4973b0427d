"""Keys that are misspelt, wrong or worn out."""

from __future__ import annotations

from datetime import timedelta

from setups.making import CONFIG, CREDENTIALS, GOOD, KEYS, SECRET, TOKEN, Broken
from setups.preparing import refused

KEYS = [
    Broken(
        name="wrong names of keys",
        credentials=f"[default]\naws_access_key = AKIADEFAULTDEFAULT1\naws_secret_key = {SECRET}\n",
        cause=("'aws_access_key' of the profile 'default'", "'aws_access_key_id'?"),
        where=f"{CREDENTIALS}, line 2 [default]",
        fix=("call it aws_access_key_id",),
        more=2,
    ),
    Broken(
        name="blanks in the name of a key",
        credentials=f"[default]\naws access key id = AKIADEFAULTDEFAULT1\n{KEYS[40:]}",
        cause=("'aws access key id'", "'aws_access_key_id'?"),
        where=f"{CREDENTIALS}, line 2 [default]",
        fix=("call it aws_access_key_id",),
        more=1,
    ),
    Broken(
        name="keys in quotes",
        credentials="[default]\naws_access_key_id = AKIADEFAULTDEFAULT1\n"
        f'aws_secret_access_key = "{SECRET}"\n',
        prepare=refused("SignatureDoesNotMatch", "no match"),
        cause=("'aws_secret_access_key' of the profile 'default' is in quotes",),
        where=f"{CREDENTIALS}, line 3 [default]",
        fix=("remove the quotes",),
        more=1,
    ),
    Broken(
        name="region with a comment",
        config="[default]\nregion = us-east-1 # Virginia\n",
        cause=("'region' of the profile 'default'", "comment"),
        where=f"{CONFIG}, line 2 [default]",
        fix=("a line of its own",),
        more=1,
    ),
    Broken(
        name="blanks in the environment",
        environ={
            "AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT1",
            "AWS_SECRET_ACCESS_KEY": f"{SECRET}\n",
        },
        prepare=refused("SignatureDoesNotMatch", "no match"),
        cause=("AWS_SECRET_ACCESS_KEY begins or ends with white space",),
        where="AWS_SECRET_ACCESS_KEY",
        fix=("set AWS_SECRET_ACCESS_KEY again",),
        more=1,
    ),
    Broken(
        name="keys mixed up",
        credentials=f"[default]\naws_access_key_id = {SECRET}\n"
        f"aws_secret_access_key = AKIA{'X' * 16}\n",
        prepare=refused("InvalidClientTokenId", "unknown"),
        cause=("'aws_access_key_id' of the profile 'default' looks like a secret",),
        where=f"{CREDENTIALS}, line 2 [default]",
        fix=("exchange",),
        more=1,
    ),
    Broken(
        name="temporary keys without their token",
        credentials=GOOD.replace("AKIA", "ASIA"),
        prepare=refused("InvalidClientTokenId", "The security token is invalid"),
        cause=("the keys of the profile 'default' are temporary", "no aws_session_token"),
        where=f"{CREDENTIALS}, line 2 [default]",
        fix=("add the aws_session_token",),
        more=1,
    ),
    Broken(
        name="half a pair in a file",
        credentials="[default]\naws_access_key_id = AKIADEFAULTDEFAULT1\n",
        cause=("missing: aws_secret_access_key",),
        where=f"{CREDENTIALS}, line 2 [default]",
        fix=("both",),
    ),
    Broken(
        name="half a pair in the environment",
        environ={"AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT1"},
        cause=("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",),
        where="AWS_ACCESS_KEY_ID",
        fix=("set both",),
    ),
    Broken(
        name="expired session token",
        credentials=f"{GOOD}aws_session_token = {TOKEN}\n",
        prepare=refused("ExpiredToken", "The security token included in the request is expired"),
        cause=("ExpiredToken", "is expired"),
        where=f"{CREDENTIALS}, line 2 [default]",
        fix=("the credentials have ended", "session token"),
    ),
    Broken(
        name="wrong secret",
        prepare=refused(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.\n\n"
            f"The Canonical String was x-amz-security-token:{TOKEN}",
        ),
        cause=("SignatureDoesNotMatch",),
        where=f"{CREDENTIALS}, line 2 [default]",
        fix=("does not belong to the access key",),
    ),
    Broken(
        name="clock skew",
        prepare=refused(
            "SignatureDoesNotMatch",
            "Signature expired: 20200101T000000Z is now earlier than 20200101T001500Z",
            timedelta(minutes=42),
        ),
        cause=("Signature expired", "42 minutes slow"),
        fix=("set the clock",),
    ),
    Broken(
        name="unknown access key",
        prepare=refused("InvalidClientTokenId", "unknown"),
        cause=("InvalidClientTokenId",),
        where=f"{CREDENTIALS}, line 2 [default]",
        fix=("does not know this access key",),
    ),
]
