"""TLS contexts, made in worker threads and shared by the process."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

from asession._runtime.forks import ProcessLock
from asession._runtime.threads import in_thread


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Everything that makes one TLS context differ from another; a value.

    Attributes:
        verify: Whether the peer's certificate and host name are checked.
        ca_bundle: A file or directory of CA certificates; `None` for the system's.
        client_cert: A certificate with its key, or the two files.
    """

    verify: bool = True
    ca_bundle: str | None = None
    client_cert: str | tuple[str, str] | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The files and directories that a context is made from."""
        cert = self.client_cert
        certs = (cert,) if isinstance(cert, str) else cert or ()
        return certs if self.ca_bundle is None else (self.ca_bundle, *certs)


# Process-wide: contexts are immutable in use, and loading CA certificates takes 20 to 180 ms.
_contexts: dict[tuple[TlsSettings, object], ssl.SSLContext] = {}
_lock = ProcessLock()
_MAX_CONTEXTS = 64


async def ssl_context(settings: TlsSettings) -> ssl.SSLContext:
    """The context for these settings; files that have changed are loaded again.

    Raises:
        OSError: A file cannot be read.
        ssl.SSLError: A file holds no certificate.
    """
    return await in_thread(_context, settings)


def _context(settings: TlsSettings) -> ssl.SSLContext:
    with _lock:
        key = settings, _stamps(settings)
        context = _contexts.get(key)
        if context is None:
            context = _make(settings)
            while len(_contexts) >= _MAX_CONTEXTS:
                del _contexts[next(iter(_contexts))]
            _contexts[key] = context
        return context


def _stamps(settings: TlsSettings) -> tuple[object, ...]:
    found = [os.stat(path) for path in settings.files]
    return tuple((status.st_ino, status.st_size, status.st_mtime_ns) for status in found)


def _make(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # An end without TLS's goodbye may be an attacker's: never the end of a body.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    context.set_alpn_protocols(["http/1.1"])
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif settings.ca_bundle is None:
        context.load_default_certs()
    elif os.path.isdir(settings.ca_bundle):
        context.load_verify_locations(capath=settings.ca_bundle)
    else:
        context.load_verify_locations(cafile=settings.ca_bundle)
    if isinstance(settings.client_cert, str):
        context.load_cert_chain(settings.client_cert)
    elif settings.client_cert is not None:
        context.load_cert_chain(*settings.client_cert)
    return context
