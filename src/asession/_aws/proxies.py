"""Proxies of an environment mapping: what `urllib` reads from the process, read from a session."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]


def environ_proxies(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The proxies for a URL, by scheme; empty when `no_proxy` exempts its host.

    Follows `urllib.request.getproxies_environment`: lower-case names win, an empty one switches a
    proxy off, and `HTTP_PROXY` is ignored inside a CGI script, where a client could set it.
    """
    proxies = _proxies(environ)
    if proxy_bypass_environment(urlsplit(url).netloc, {"no": "", **proxies}):
        return {}
    proxies.pop("no", None)
    return proxies


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    proxies: dict[str, str] = {}
    suffix = "_proxy"
    for name, value in environ.items():
        if value and name.lower().endswith(suffix):
            proxies[name.lower().removesuffix(suffix)] = value
    if "REQUEST_METHOD" in environ:
        proxies.pop("http", None)
    for name, value in environ.items():
        if name.endswith(suffix):
            scheme = name.lower().removesuffix(suffix)
            if value:
                proxies[scheme] = value
            else:
                proxies.pop(scheme, None)
    return proxies
