"""A message to a mail server. Blocking; every wait has an end. The server's addresses are looked up, and checked, before."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal, TypeAlias

from ouzel.base.errors import ConnectFailed, ConnectionLost, OuzelError, ServerTrouble, TargetRefused, TlsFailed
from ouzel.system.guard import Endpoint

Security: TypeAlias = Literal["ssl", "starttls", "none"]
PORTS: dict[Security, int] = {"ssl": 465, "starttls": 587, "none": 25}
_PASSING = range(400, 500)
"""Replies that say: not now. Source: RFC 5321 section 4.2.1."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The server that takes what is to be sent."""

    host: str
    endpoints: Sequence[Endpoint]
    security: Security
    login: str = ""
    password: str = ""
    timeout_s: float = 20.0
    """For each step."""
    tls: ssl.SSLContext | None = None
    """None: the system's authorities are trusted."""


def send_mail(box: Mailbox, message: EmailMessage) -> None:
    """Raises: ConnectFailed, ConnectionLost, TlsFailed; ServerTrouble when it says "not now"; TargetRefused."""
    try:
        with _connected(box) as server:
            if box.security == "starttls":
                server.starttls(context=_context(box))
            if box.login:
                server.login(box.login, box.password)
            refused = server.send_message(message)
    except (smtplib.SMTPException, ssl.SSLError, OSError) as exc:
        raise _error(exc, box) from None
    if refused:
        told = ", ".join(refused)
        raise TargetRefused(f"{box.host} took it for some, and not for {told}")


class _Plain(smtplib.SMTP):
    """Connects to the addresses that were checked, and to no other."""

    def __init__(self, box: Mailbox) -> None:
        self._box = box
        super().__init__(box.host, box.endpoints[0].sockaddr[1], timeout=box.timeout_s)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 # pyright: ignore[reportImplicitOverride]
        error: OSError | None = None
        for endpoint in self._box.endpoints:
            link = socket.socket(endpoint.family, socket.SOCK_STREAM)
            link.settimeout(timeout)
            try:
                link.connect(endpoint.sockaddr)
            except OSError as exc:
                link.close()
                error = exc
            else:
                return self._secured(link)
        raise ConnectFailed(f"{host} cannot be reached: {error}", host=host)

    def _secured(self, link: socket.socket) -> socket.socket:
        return link


class _Tls(_Plain):
    """TLS from the first byte on."""

    def _secured(self, link: socket.socket) -> socket.socket:
        return _context(self._box).wrap_socket(link, server_hostname=self._box.host)


def _connected(box: Mailbox) -> smtplib.SMTP:
    return _Tls(box) if box.security == "ssl" else _Plain(box)


def _context(box: Mailbox) -> ssl.SSLContext:
    return box.tls or ssl.create_default_context()


def _error(exc: Exception, box: Mailbox) -> OuzelError:
    match exc:
        case ssl.SSLError():
            return TlsFailed(f"no secure connection to {box.host}: {exc.reason or exc}", host=box.host)
        case smtplib.SMTPServerDisconnected():
            return ConnectionLost(f"{box.host} closed the connection", host=box.host)
        case smtplib.SMTPResponseException():
            return _said(box, exc.smtp_code, exc.smtp_error)
        case smtplib.SMTPRecipientsRefused():
            code, error = next(iter(exc.recipients.values()))
            return _said(box, code, error)
        case smtplib.SMTPException():
            return TargetRefused(f"{box.host}: {exc}")
        case TimeoutError():
            return ConnectFailed(f"{box.host} does not answer", host=box.host)
        case _:
            return ConnectionLost(f"{box.host}: {exc}", host=box.host)


def _said(box: Mailbox, code: int, error: bytes | str) -> OuzelError:
    text = error.decode("utf-8", "replace") if isinstance(error, bytes) else error
    if box.password:
        text = text.replace(box.password, "***")
    why = f"{box.host} says {code} {' '.join(text.split())[:200]}"
    return ServerTrouble(why, status=code) if code in _PASSING else TargetRefused(why)
