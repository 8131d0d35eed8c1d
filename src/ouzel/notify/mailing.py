"""E-mail."""

from __future__ import annotations

import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from html import escape

import anyio.to_thread

from ouzel.base.errors import TargetRefused
from ouzel.notify.posting import scope_of
from ouzel.notify.sender import Outgoing, Settings
from ouzel.system.guard import Lookup, resolve
from ouzel.system.mail import PORTS, Mailbox, Security, send_mail

_AT_ONCE = 2
"""Threads; the others wait."""


class Email:
    """Through a mail server that takes mail of its users: SSL (465), STARTTLS (587), or neither (25)."""

    def __init__(self, lookup: Lookup | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._lookup = lookup
        self._tls = tls
        self._threads: anyio.CapacityLimiter | None = None

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        host: str = settings["server"]
        security: Security = settings.get("security", "ssl")
        scope = await scope_of(host, self._lookup)
        endpoints = await resolve(host, settings.get("port") or PORTS[security], scope, lookup=self._lookup)
        box = Mailbox(
            host, endpoints, security, settings.get("login", ""), settings.get("password", ""), tls=self._tls
        )  # fmt: skip
        self._threads = self._threads or anyio.CapacityLimiter(_AT_ONCE)
        call = partial(send_mail, box, compose(message, settings))
        await anyio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._threads)


def compose(message: Outgoing, settings: Settings) -> EmailMessage:
    """Text, and the same as a page with the picture. Raises: TargetRefused for what is no address."""
    sender: str = settings.get("from") or settings.get("login", "")
    mail = EmailMessage()
    try:
        mail["From"] = Address(settings.get("from_name", ""), addr_spec=sender)
        mail["To"] = [Address(addr_spec=each) for each in settings["to"]]
    except (ValueError, IndexError) as exc:  # of the parser: an address that is none
        raise TargetRefused(f"an address of the mail is none: {exc}") from None
    mail["Subject"] = message.title
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}@{sender.partition('@')[2] or 'ouzel.invalid'}>"
    mail.set_content(message.text or message.title)
    lines = "<br>\n".join(escape(line) for line in (message.text or message.title).split("\n"))
    picture = f'<p><img src="{escape(message.picture)}" style="max-width:100%"></p>' if message.picture else ""
    mail.add_alternative(f"<p>{lines}</p>{picture}", subtype="html")
    return mail
