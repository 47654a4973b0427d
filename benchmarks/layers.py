"""Where the time of a request goes: a cProfile, summed by the layer that the code belongs to.

The time of a function counts for the layer of its file. That of C functions, of the standard
library and of anything else without a layer counts for the layers of its callers, in proportion.
"""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from typing import Any

# The first that is part of a file's path decides. Of botocore and of aiobotocore alike.
_PARTS = (
    ("/asession/_http/", "transport"),
    ("/asession/_aws/http_session.py", "transport"),
    ("/asession/_aws/signing.py", "signing"),
    ("/asession/_aws/parsing.py", "parsing"),
    ("/asession/_aws/timestamps.py", "parsing"),
    ("/asession/_aws/endpoints.py", "endpoint"),
    ("/asession/_aws/emitter.py", "events"),
    ("/asession/_aws/useragent.py", "user agent"),
    ("/asession/_aws/bodies.py", "request body"),
    ("/asession/_aws/uploads.py", "request body"),
    ("/asession/_aws/streams.py", "response body"),
    ("/asession/_aws/plans.py", "parsing"),
    ("/asession/_aws/headers.py", "request objects"),
    ("/asession/_aws/attempts.py", "the endpoint's call"),
    ("/asession/_aws/retries.py", "retries"),
    ("/asession/_aws/validation.py", "serialising"),
    ("/asession/_runtime/readiness.py", "transport"),
    ("/asession/", "asession's session and clients"),
    ("/aiohttp/", "transport"),
    ("/httpx2/", "transport"),
    ("/httpcore2/", "transport"),
    ("/urllib3/", "transport"),
    ("/h11/", "transport"),
    ("/yarl/", "transport"),
    ("/multidict/", "transport"),
    ("/httptools/", "transport"),
    ("/anyio/", "transport"),
    ("/ssl.py", "transport"),
    ("/asyncio/", "event loop"),
    ("/trio/", "event loop"),
    ("/selectors.py", "event loop"),
    ("/socket.py", "event loop"),
    ("botocore/httpsession.py", "transport"),
    ("botocore/httpxsession.py", "transport"),
    ("botocore/httpchecksum.py", "checksums"),
    ("botocore/response.py", "response body"),
    ("botocore/auth.py", "signing"),
    ("botocore/signers.py", "signing"),
    ("botocore/credentials.py", "signing"),
    ("botocore/parsers.py", "parsing"),
    ("botocore/regions.py", "endpoint"),
    ("botocore/endpoint_provider.py", "endpoint"),
    ("botocore/hooks.py", "events"),
    ("botocore/_helpers.py", "events"),
    ("botocore/handlers.py", "handlers"),
    ("botocore/useragent.py", "user agent"),
    ("botocore/serialize.py", "serialising"),
    ("botocore/validate.py", "serialising"),
    ("botocore/model.py", "models"),
    ("botocore/retryhandler.py", "retries"),
    ("botocore/retries/", "retries"),
    ("botocore/awsrequest.py", "request objects"),
    ("botocore/client.py", "the client's call"),
    ("botocore/context.py", "the client's call"),
    ("botocore/endpoint.py", "the endpoint's call"),
    ("botocore/history.py", "the endpoint's call"),
    ("/benchmarks/", "the benchmark"),
)
_REST = "the benchmark"

Function = tuple[str, int, str]
LayerOf = Callable[[str], str | None]


def layer_of(path: str) -> str | None:
    """The layer of a file, or `None` if its callers decide."""
    path = path.replace("\\", "/")
    return next((layer for part, layer in _PARTS if part in path), None)


def by_layer(
    profile: cProfile.Profile | pstats.Stats,
    requests: int,
    top: int = 12,
    layer_of: LayerOf = layer_of,
) -> dict[str, Any]:
    """Microseconds per request under the profiler, by layer, and the dearest functions."""
    found = profile if isinstance(profile, pstats.Stats) else pstats.Stats(profile)
    stats: dict[Function, Any] = found.stats  # type: ignore[attr-defined]
    shares = shares_of(stats, layer_of)
    layers: dict[str, float] = {}
    calls = 0
    for function, (_, count, own, _, _) in stats.items():
        calls += count
        for layer, share in shares[function].items():
            layers[layer] = layers.get(layer, 0.0) + own * share
    dearest = sorted(stats.items(), key=lambda entry: -entry[1][2])[:top]
    scale = 1e6 / requests
    return {
        "layers": {
            layer: round(seconds * scale, 2)
            for layer, seconds in sorted(layers.items(), key=lambda entry: -entry[1])
        },
        "calls": round(calls / requests, 1),
        "functions": [
            {
                "function": _name(function),
                "calls": round(count / requests, 2),
                "own": round(own * scale, 2),
            }
            for function, (_, count, own, _, _) in dearest
        ],
    }


def shares_of(
    stats: dict[Function, Any], layer_of: LayerOf = layer_of
) -> dict[Function, dict[str, float]]:
    """Which part of each function's own time belongs to which layer; `stats` as pstats has it."""
    shares: dict[Function, dict[str, float]] = {}
    open_functions = []
    for function in stats:
        layer = layer_of(function[0])
        if layer is None:
            open_functions.append(function)
            shares[function] = {}
        else:
            shares[function] = {layer: 1.0}
    # Chains of such functions are short: what is not settled after a few passes calls itself.
    for _ in range(12):
        for function in open_functions:
            mixed: dict[str, float] = {}
            for caller, (_, _, own, whole) in stats[function][4].items():
                for layer, share in shares.get(caller, {}).items():
                    mixed[layer] = mixed.get(layer, 0.0) + share * max(own, whole, 1e-9)
            total = sum(mixed.values())
            shares[function] = {layer: part / total for layer, part in mixed.items()}
    for function in open_functions:
        if not shares[function]:
            shares[function] = {_REST: 1.0}
    return shares


def _name(function: Function) -> str:
    path, _, name = function
    parts = path.replace("\\", "/").split("/")
    return name if path == "~" else f"{'/'.join(parts[-2:])}:{name}"
