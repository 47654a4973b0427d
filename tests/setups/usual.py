"""The ten broken set-ups that everybody meets."""

from __future__ import annotations

from datetime import timedelta

from setups.making import CONFIG, DEAD, PASSWORD, REGION, ROLE, SECRET, Broken
from setups.preparing import sso_login, unreadable

_SSO = (
    "[profile sso]\nregion = us-east-1\nsso_session = corp\nsso_account_id = 123456789012\n"
    "sso_role_name = reader\n[sso-session corp]\nsso_start_url = https://corp/start\n"
)
_SSO_REGION = "sso_region = us-east-1\n"

USUAL = [
    Broken(
        name="missing profile",
        config="[profile production]\nregion = eu-west-1\n",
        profile="prodution",
        cause=("'prodution' (from ", "Did you mean 'production'?", CONFIG),
        where="profile_name=",
        fix=("`asession profiles`", "aws configure --profile"),
    ),
    Broken(
        name="bad section",
        config=f"[default]\nregion = us-east-1\n[profile dev\naws_secret = {SECRET}\n",
        cause=(f"cannot parse {CONFIG}, line 3",),
        where=f"{CONFIG}, line 3",
        fix=("[profile NAME]",),
    ),
    Broken(
        name="expired sso",
        config=_SSO + _SSO_REGION,
        profile="sso",
        prepare=sso_login(timedelta(hours=-1)),
        cause=("expired",),
        where=f"{CONFIG}, line 3 [profile sso]",
        fix=("`aws sso login --profile sso`",),
    ),
    Broken(
        name="role loop",
        config=f"[profile a]\nregion = us-east-1\nrole_arn = {ROLE}\nsource_profile = b\n"
        f"[profile b]\nrole_arn = {ROLE}\nsource_profile = a\n",
        profile="a",
        cause=("Infinite loop", "['a', 'b']"),
        where=f"{CONFIG}, line 4 [profile a]; {CONFIG}, line 7 [profile b]",
        fix=("`source_profile`",),
    ),
    Broken(
        name="wrong region",
        config="[default]\nregion = us-esat-1\n",
        cause=("no region 'us-esat-1'", "did you mean", "'us-east-1'"),
        where=f"{CONFIG}, line 2 [default]",
        fix=(f"mend {CONFIG}",),
        environ={"AWS_ENDPOINT_URL": DEAD},
        more=1,
    ),
    Broken(
        name="unreadable file",
        prepare=unreadable,
        region="us-east-1",
        cause=(f"cannot read the config file {CONFIG}: Too many levels",),
        where=CONFIG,
        fix=(f"chmod u+r {CONFIG}", "AWS_CONFIG_FILE"),
    ),
    Broken(
        name="bad credential_process",
        config="[profile p]\nregion = us-east-1\n"
        f"credential_process = /no/such/command --password {PASSWORD}\n",
        profile="p",
        cause=("custom-process", "'/no/such/command'", "No such file"),
        where=f"{CONFIG}, line 3 [profile p]",
        fix=("`credential_process` by hand",),
    ),
    Broken(
        name="no credentials",
        config="[profile dev]\nregion = us-east-1\n",
        credentials="",
        profile="dev",
        cause=("no source has any for the profile 'dev'", "AWS_EC2_METADATA_DISABLED is true"),
        where=f"{CONFIG}, line 1 [profile dev]",
        fix=("`aws configure --profile dev`",),
    ),
    Broken(
        name="clash of environment and profile",
        environ={
            "AWS_PROFILE": "default",
            "AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT1",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        },
        cause=("AWS_ACCESS_KEY_ID are used, not those of the profile 'default'",),
        where="AWS_ACCESS_KEY_ID and AWS_PROFILE",
        fix=("unset AWS_ACCESS_KEY_ID", "default"),
        ok=True,
    ),
    Broken(
        name="bad endpoint",
        config=f"{REGION}endpoint_url = localhost:4566\n",
        environ={"AWS_ENDPOINT_URL": ""},
        cause=("Invalid endpoint: localhost:4566",),
        where=f"{CONFIG}, line 3 [default]",
        fix=("http://127.0.0.1:4566", CONFIG),
    ),
]
