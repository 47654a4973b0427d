"""Our user agent is botocore's, byte for byte, and is put together once."""

from __future__ import annotations

import random

import pytest
from aiobotocore.config import AioConfig
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.context import ClientContext, start_as_current_context
from botocore.useragent import UserAgentString

from asession._aws import useragent
from asession._aws.useragent import UserAgent

FEATURES = ["B", "C", "D", "E", "G", "N", "Z", "b", "e", "AC", "AD", "T", "P", "i", "n", "0"]


def supplied(config, user_agent):
    config._supplied_user_agent = user_agent  # as aiobotocore does when it makes a client
    return config


CONFIGS = {
    "none": lambda: None,
    "plain": Config,
    "aio": lambda: AioConfig(retries={"mode": "adaptive"}),
    "standard": lambda: Config(retries={"mode": "standard", "max_attempts": 3}),
    "app id": lambda: Config(user_agent_appid="my app/1#2 Grüße"),
    "extra": lambda: Config(user_agent_extra="Resource"),
    "override": lambda: Config(user_agent="mine/1.0", user_agent_extra="more"),
    "supplied": lambda: supplied(Config(user_agent="derived"), "given/2"),
    "supplied none": lambda: supplied(Config(user_agent="derived", user_agent_extra="x"), None),
    "discovery": lambda: Config(retries={"mode": "legacy"}, endpoint_discovery_enabled=True),
}


def pair(execution_env=None, platform="Linux", session=("asession", "0.1", "botocore/1")):
    """An upstream and one of ours with the same facts."""
    made = []
    for cls in (UserAgentString, UserAgent):
        agent = cls(platform, "6.1", "x86_64", "3.11.7", "CPython", execution_env, "0.2")
        made.append(agent.set_session_config(*session))
    return made


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("execution_env", [None, "AWS_Lambda_python3.11", "odd env(1)"])
@pytest.mark.parametrize("session", [("asession", "0.1", "x/1 y/2"), ("Botocore", None, "")])
def test_it_is_botocores_for_every_set_of_features(config, execution_env, session):
    upstream, ours = pair(execution_env, session=session)
    made = CONFIGS[config]()
    chance = random.Random(config)
    for client_features in (None, set(), set(FEATURES[:2]), set(FEATURES[5:9])):
        for agent in (upstream, ours):
            agent.set_client_features(client_features)
        theirs, mine = upstream.with_client_config(made), ours.with_client_config(made)
        assert mine.to_string() == theirs.to_string()
        for _ in range(20):
            features = set(chance.sample(FEATURES, chance.randrange(len(FEATURES))))
            with start_as_current_context(ClientContext(features=features)):
                expected = theirs.to_string()
                assert mine.to_string() == expected
                assert mine.to_string() == expected


def test_too_many_features_are_cut_as_botocore_cuts_them():
    features = {f"x{number:04}" for number in range(400)}
    upstream, ours = pair()
    with start_as_current_context(ClientContext(features=features)):
        text = ours.to_string()
        assert text == upstream.to_string() == ours.to_string()
    assert len(text) < 1400


def test_what_changes_later_counts():
    upstream, ours = pair()
    config = Config(retries={"mode": "standard"})
    theirs, mine = upstream.with_client_config(config), ours.with_client_config(config)
    seen = {mine.to_string()}

    def check():
        assert mine.to_string() == theirs.to_string()
        assert mine.to_string() not in seen
        seen.add(mine.to_string())

    config.user_agent_extra = "later"
    check()
    config.retries["mode"] = "adaptive"
    check()
    config.user_agent_appid = "app"
    check()
    for agent in (theirs, mine):
        agent.set_session_config("other", "9", None)
    check()
    features = set()
    for agent in (theirs, mine):
        agent.set_client_features(features)
    features.add("E")  # as a client does when it registers its retries
    check()
    config._supplied_user_agent = "now/overridden"
    check()


def test_a_string_is_put_together_once_for_a_session_and_its_clients(monkeypatch):
    built = []
    original = UserAgentString.to_string
    monkeypatch.setattr(
        UserAgentString, "to_string", lambda self: built.append(1) or original(self)
    )
    _, session_level = pair()
    session_level.to_string()
    built.clear()
    clients = [session_level.with_client_config(Config(user_agent_appid="a")) for _ in range(3)]
    assert len({client.to_string() for client in clients for _ in range(5)}) == 1
    assert built == [1]


def test_it_remembers_no_more_than_its_limit():
    upstream, ours = pair()
    ours.to_string()
    for number in range(useragent._LIMIT + 10):
        with start_as_current_context(ClientContext(features={f"f{number}"})):
            assert ours.to_string() == upstream.to_string()
    assert len(ours._built) <= useragent._LIMIT


@pytest.mark.parametrize("present", [None, "", "old/1"])
def test_the_header_of_a_request_is_replaced_where_there_is_one(present):
    found = []
    for agent in pair():
        request = AWSRequest("GET", "https://s3.amazonaws.com/", {"Accept": "*/*"})
        if present is not None:
            request.headers["User-Agent"] = present
        request.headers["Z"] = "last"
        for features in ({"E"}, {"E", "B"}, {"E", "B"}):
            with start_as_current_context(ClientContext(features=features)):
                agent.rebuild_and_replace_user_agent_handler("GetObject", request)
        found.append(request.headers.items())
    assert found[0] == found[1]
    assert ("m/" in found[1][1][1]) is bool(present)
