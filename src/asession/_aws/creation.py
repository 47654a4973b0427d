"""Our parts in aiobotocore's clients, put in through the event of a client class being made."""

from __future__ import annotations

from typing import Any

from asession._aws.endpoints import EndpointResolver
from asession._aws.signing import RequestSigner


class AssembledClient:
    """Mixed into the class of each client of our own session, in front of `AioBaseClient`.

    Upstream decides in private which classes a client is made of, three constructors deep. It hands
    all of them to the client's constructor as arguments, which is where ours take their places:
    before the client registers them as handlers of its events. Parts that upstream looks up in the
    session (emitter, user agent, parsers) are the session's components.
    """

    def __init__(self, **parts: Any) -> None:
        parts["request_signer"] = RequestSigner.replacing(parts["request_signer"])
        resolver = parts["endpoint_ruleset_resolver"]
        if resolver is not None:  # a service without a rule set
            parts["endpoint_ruleset_resolver"] = EndpointResolver.replacing(resolver)
        super().__init__(**parts)


def mix_in_parts(base_classes: list[type], **_: Any) -> None:
    """Handler of ``creating-client-class``: put `AssembledClient` in front."""
    if AssembledClient not in base_classes:
        base_classes.insert(0, AssembledClient)
