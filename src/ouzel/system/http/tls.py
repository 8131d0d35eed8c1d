"""Whom we trust, and what is wrong when we do not."""

from __future__ import annotations

import ssl
from pathlib import Path

from ouzel.base.errors import BadOption, TlsFailed

# X509_V_ERR_… of OpenSSL's x509_vfy.h, which the ssl module passes on as `verify_code`
_NOT_YET_VALID = 9
_EXPIRED = 10
_SELF_SIGNED = 18
_UNKNOWN_AUTHORITY = frozenset({2, 19, 20, 21, 27})
_REVOKED = 23
_OTHER_HOST = frozenset({62, 64})


class Trust:
    """TLS settings of one client, made when first needed: reading the system's certificates takes some 20 ms.

    Args:
        ca_file: certificates (PEM) of authorities to trust beside the system's.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self._contexts: dict[bool, ssl.SSLContext] = {}

    def context(self, *, verify: bool) -> ssl.SSLContext:
        """Raises: BadOption when the file of authorities cannot be read."""
        if verify not in self._contexts:
            self._contexts[verify] = self._make(verify)
        return self._contexts[verify]

    def _make(self, verify: bool) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self._ca_file is not None:
            try:
                context.load_verify_locations(cafile=self._ca_file)
            except OSError as exc:  # ssl.SSLError is one too
                reason = exc.strerror or "not a certificate file"
                raise BadOption(f"{self._ca_file}: cannot read certificates of authorities: {reason}") from None
        return context


def explain(exc: ssl.SSLError, host: str, port: int) -> TlsFailed:
    """One line that says what is wrong with the other side's TLS."""
    return TlsFailed(f"TLS with {host}:{port} failed: {_reason(exc, host)}", host=host, port=port)


def _reason(exc: ssl.SSLError, host: str) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return _certificate_fault(exc.verify_code, exc.verify_message, host)
    words = (exc.reason or str(exc)).replace("_", " ").lower()
    if exc.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"):
        return f"the server does not speak TLS on this port ({words}); is it an http:// address?"
    if "unsupported protocol" in words or "version" in words:
        return f"the server speaks no version of TLS that is safe ({words})"
    return words


def _certificate_fault(code: int, message: str, host: str) -> str:
    if code == _EXPIRED:
        return "its certificate has expired"
    if code == _NOT_YET_VALID:
        return "its certificate is not valid yet; is this machine's clock right?"
    if code == _SELF_SIGNED:
        return "its certificate is self-signed"
    if code in _OTHER_HOST:
        return f"its certificate is not for {host}"
    if code == _REVOKED:
        return "its certificate was revoked"
    if code in _UNKNOWN_AUTHORITY:
        paths = ssl.get_default_verify_paths()
        if not paths.cafile and not paths.capath:
            return "this machine has no certificates of authorities to check it by; install ca-certificates"
        return "its certificate is from an authority that this machine does not know"
    return f"its certificate is not accepted: {message}"
