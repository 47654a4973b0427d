"""Profiles, sections and lines of files that are not as they should be."""

from __future__ import annotations

from setups.making import CONFIG, CREDENTIALS, GOOD, KEYS, REGION, SECRET, Broken

FILES = [
    Broken(
        name="missing profile of the environment",
        environ={"AWS_PROFILE": "nowhere"},
        cause=("'nowhere' (from AWS_PROFILE)",),
        where="AWS_PROFILE",
        fix=("aws configure --profile",),
    ),
    Broken(
        name="config section without its prefix",
        config=f"{REGION}[dev]\nregion = us-east-1\n",
        profile="dev",
        cause=("'dev'", "[dev], which in this file must be [profile dev]"),
        where=f"{CONFIG}, line 3 [dev]",
        fix=("call it [profile dev]",),
    ),
    Broken(
        name="config section without its prefix, of another profile",
        config=f"{REGION}[dev]\nregion = us-east-1\n",
        cause=("the section [dev] of the config file is no profile",),
        where=f"{CONFIG}, line 3 [dev]",
        fix=("[profile dev]",),
        ok=True,
    ),
    Broken(
        name="credentials section with a prefix",
        credentials=f"{GOOD}[profile dev]\n{KEYS}",
        profile="dev",
        cause=("[profile dev], which in this file must be [dev]",),
        where=f"{CREDENTIALS}, line 4 [profile dev]",
        fix=("call it [dev]",),
    ),
    Broken(
        name="section twice",
        config=f"{REGION}[profile a]\n[default]\n",
        cause=("the section [default] is there twice", f"{CONFIG}, line 4"),
        where=f"{CONFIG}, line 4",
        fix=("each once",),
    ),
    Broken(
        name="key twice",
        credentials=f"{GOOD}aws_secret_access_key = {SECRET}2\n",
        cause=("'aws_secret_access_key'", "twice", f"{CREDENTIALS}, line 4"),
        where=f"{CREDENTIALS}, line 4",
        fix=("once",),
    ),
    Broken(
        name="line without a section",
        config="region = us-east-1\n[default]\n",
        cause=(f"{CONFIG}, line 1", "before the first [section]"),
        where=f"{CONFIG}, line 1",
        fix=("[default]",),
    ),
    Broken(
        name="a directory in place of the config file",
        environ={"AWS_CONFIG_FILE": "{home}"},
        region="us-east-1",
        cause=("{home} is a directory",),
        where="{home}",
        fix=("AWS_CONFIG_FILE",),
    ),
]
