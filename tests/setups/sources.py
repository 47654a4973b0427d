"""Roles, SSO logins, programs and containers that give no credentials."""

from __future__ import annotations

from setups.making import CONFIG, DEAD, PASSWORD, REGION, ROLE, TOKEN, Broken

_SSO = (
    "[profile sso]\nregion = us-east-1\nsso_session = corp\nsso_account_id = 123456789012\n"
    "sso_role_name = reader\n[sso-session corp]\nsso_start_url = https://corp/start\n"
)
_SSO_REGION = "sso_region = us-east-1\n"

SOURCES = [
    Broken(
        name="source_profile missing",
        config=f"{REGION}[profile a]\nrole_arn = {ROLE}\nsource_profile = nobody\n",
        profile="a",
        cause=("nobody", "does not exist"),
        where=f"{CONFIG}, line 5 [profile a]",
        fix=("`source_profile` that exists",),
    ),
    Broken(
        name="source_profile without credentials",
        config=f"[profile a]\nrole_arn = {ROLE}\nsource_profile = b\n[profile b]\n",
        profile="a",
        cause=('"b" must have credentials',),
        where=f"{CONFIG}, line 3 [profile a]",
        fix=("`source_profile`",),
    ),
    Broken(
        name="role without a source",
        config=f"[profile a]\nrole_arn = {ROLE}\n",
        profile="a",
        cause=("source_profile or credential_source",),
        where=f"{CONFIG}, line 2 [profile a]",
        fix=("`credential_source`",),
    ),
    Broken(
        name="credential_source unknown",
        config=f"[profile a]\nrole_arn = {ROLE}\ncredential_source = Moon\nregion = us-east-1\n",
        profile="a",
        cause=("Moon",),
        where=f"{CONFIG}, line 3 [profile a]",
        fix=("Environment, EcsContainer or Ec2InstanceMetadata",),
    ),
    Broken(
        name="role refused",
        config=f"{REGION}[profile a]\nrole_arn = {ROLE}\nsource_profile = default\n"
        "region = us-east-1\n",
        profile="a",
        prepare=lambda _home, server: server.fail("sts:AssumeRole", "AccessDenied"),
        cause=("AccessDenied", "AssumeRole"),
        where=f"{CONFIG}, line 4 [profile a]",
        fix=("trust policy",),
    ),
    Broken(
        name="web identity file missing",
        config=f"[profile w]\nregion = us-east-1\nrole_arn = {ROLE}\n"
        "web_identity_token_file = {home}/token\n",
        profile="w",
        cause=("cannot read the token file {home}/token", "No such file"),
        where=f"{CONFIG}, line 4 [profile w]",
        fix=("that file must exist",),
    ),
    Broken(
        name="sso login that never was",
        config=_SSO + _SSO_REGION,
        profile="sso",
        cause=("Token for corp does not exist",),
        where=f"{CONFIG}, line 3 [profile sso]",
        fix=("`aws sso login --profile sso`",),
    ),
    Broken(
        name="sso-session without a region",
        config=_SSO,
        profile="sso",
        cause=("sso_region",),
        where=f"{CONFIG}, line 6 [sso-session corp]",
        fix=("`sso_start_url` and `sso_region`",),
    ),
    Broken(
        name="sso-session that does not exist",
        config=_SSO.replace("= corp", "= crop"),
        profile="sso",
        cause=("crop", "does not exist"),
        where=f"{CONFIG}, line 3 [profile sso]",
        fix=("[sso-session NAME]",),
    ),
    Broken(
        name="process that fails silently",
        config="[profile p]\nregion = us-east-1\ncredential_process = sh -c 'exit 3'\n",
        profile="p",
        cause=("custom-process", "wrote nothing"),
        where=f"{CONFIG}, line 3 [profile p]",
        fix=("`credential_process` by hand",),
    ),
    Broken(
        name="process that quotes its arguments",
        config="[profile p]\nregion = us-east-1\ncredential_process = "
        f"sh -c 'echo the vault is locked for $0 >&2; exit 3' {TOKEN}\n",
        profile="p",
        cause=("the vault is locked",),
        where=f"{CONFIG}, line 3 [profile p]",
        fix=("`credential_process` by hand",),
    ),
    Broken(
        name="process that prints no JSON",
        config=f"[profile p]\nregion = us-east-1\ncredential_process = echo {TOKEN}\n",
        profile="p",
        cause=("custom-process", "no JSON"),
        where=f"{CONFIG}, line 3 [profile p]",
        fix=("Version 1",),
    ),
    Broken(
        name="process that prints something else",
        config="[profile p]\nregion = us-east-1\ncredential_process = echo {}\n",
        profile="p",
        cause=("custom-process", "Version"),
        where=f"{CONFIG}, line 3 [profile p]",
        fix=("Version 1",),
    ),
    Broken(
        name="container address on another host",
        credentials="",
        environ={
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://me:{PASSWORD}@10.1.2.3/keys",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": TOKEN,
        },
        cause=("Unsupported host",),
        where="AWS_CONTAINER_CREDENTIALS_FULL_URI",
        fix=("AWS_CONTAINER_CREDENTIALS_FULL_URI", "127.0.0.1"),
    ),
    Broken(
        name="container address where nobody answers",
        credentials="",
        environ={"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{DEAD}/keys"},
        patient=True,
        cause=("container",),
        where="AWS_CONTAINER_CREDENTIALS_FULL_URI",
        fix=("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
    ),
]
