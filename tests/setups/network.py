"""Regions, endpoints, proxies and certificates that lead nowhere."""

from __future__ import annotations

from setups.making import CONFIG, DEAD, PASSWORD, REGION, Broken

NETWORK = [
    Broken(
        name="availability zone as region",
        patient=True,
        config="[default]\nregion = us-east-1a\n",
        cause=("no region 'us-east-1a'", "availability zone of 'us-east-1'"),
        where=f"{CONFIG}, line 2 [default]",
        fix=("put us-east-1 there",),
        environ={"AWS_ENDPOINT_URL": DEAD},
        more=1,
    ),
    Broken(
        name="region that can be none",
        region="us_east_1",
        cause=("'us_east_1' (from ",),
        where="region_name=",
        fix=("mend ",),
    ),
    Broken(
        name="no region",
        config="[default]\n",
        cause=("specify a region",),
        where=f"{CONFIG}, line 1 [default]",
        fix=("AWS_REGION",),
    ),
    Broken(
        name="two variables that differ",
        environ={"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "us-east-1"},
        cause=("AWS_DEFAULT_REGION is 'eu-west-1' and AWS_REGION is 'us-east-1'",),
        where="AWS_DEFAULT_REGION and AWS_REGION",
        fix=("unset one",),
        ok=True,
    ),
    Broken(
        name="endpoint where nobody answers",
        environ={"AWS_ENDPOINT_URL_STS": f"http://me:{PASSWORD}@127.0.0.1:1"},
        cause=("127.0.0.1:1",),
        where="AWS_ENDPOINT_URL_STS",
        fix=("unset AWS_ENDPOINT_URL_STS",),
    ),
    Broken(
        name="endpoint of a service where nobody answers",
        patient=True,
        config=f"{REGION}services = mine\n[services mine]\nsts =\n  endpoint_url = {DEAD}\n",
        cause=("127.0.0.1:1",),
        where=f"{CONFIG}, line 6 [services mine]",
        environ={"AWS_ENDPOINT_URL": ""},
        fix=("mend or unset",),
    ),
    Broken(
        name="endpoint argument that is no URL",
        endpoint_url="localhost:4566",
        cause=("Invalid endpoint: localhost:4566",),
        where="endpoint_url=",
        fix=("http://127.0.0.1:4566",),
    ),
    Broken(
        name="server that says nothing of sense",
        patient=True,
        prepare=lambda _home, server: server.drop("sts:*"),
        cause=("closed",),
        where="AWS_ENDPOINT_URL",
        fix=("AWS_ENDPOINT_URL",),
    ),
    Broken(
        name="proxy where nobody answers",
        patient=True,
        environ={
            "HTTP_PROXY": f"http://me:{PASSWORD}@127.0.0.1:1",
            "AWS_ENDPOINT_URL": "http://aws.invalid",
        },
        cause=("proxy", "127.0.0.1:1"),
        where="HTTP_PROXY",
        fix=("mend or unset",),
    ),
    Broken(
        name="CA bundle that is not there",
        patient=True,
        environ={"AWS_CA_BUNDLE": "{home}/no.pem", "AWS_ENDPOINT_URL": "https://127.0.0.1:1"},
        cause=("the CA bundle '{home}/no.pem' (from AWS_CA_BUNDLE) does not exist",),
        where="AWS_CA_BUNDLE",
        fix=("mend or remove AWS_CA_BUNDLE",),
        more=1,
    ),
    Broken(
        name="setting that is no number",
        environ={"AWS_MAX_ATTEMPTS": "many"},
        cause=("'many' (from AWS_MAX_ATTEMPTS)",),
        where="AWS_MAX_ATTEMPTS",
        fix=("'max_attempts'",),
    ),
]
