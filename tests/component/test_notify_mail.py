"""E-mail to a mail server on loopback: SSL, STARTTLS, neither; and what it says no to."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest
import trustme

from ouzel.base.errors import ConnectFailed, ConnectionLost, ServerTrouble, TargetRefused, TlsFailed
from ouzel.notify.mailing import Email
from ouzel.notify.sender import Outgoing
from ouzel.system.mail import PORTS
from ouzel.testing.mail import FakeMailServer, fake_mail_server

pytestmark = pytest.mark.anyio
SAYS = Outgoing(
    "m1", "小明 is live", "chat\n<huya>", datetime(2026, 11, 22, 12, 0, tzinfo=UTC), picture="https://img.example/c.jpg"
)
LOGIN = ("anna@example.org", "a long password")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def email(authority: trustme.CA) -> Email:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return Email(tls=context)


@pytest.fixture
async def plain() -> AsyncGenerator[FakeMailServer]:
    async with fake_mail_server(login=LOGIN) as server:
        yield server


def told(server: FakeMailServer, **more: object) -> dict[str, object]:
    return {
        "server": "localhost", "port": server.port, "security": "none", "login": LOGIN[0], "password": LOGIN[1],
        "from_name": "Ouzel 鸟", "to": ["one@example.org", "two@example.org"], **more,
    }  # fmt: skip


@pytest.mark.parametrize("security", ["ssl", "starttls", "none"])
async def test_a_mail_arrives_whole(security: str, email: Email, server_tls: ssl.SSLContext) -> None:
    tls = None if security == "none" else server_tls
    async with fake_mail_server(tls, wrapped=security == "ssl", login=LOGIN) as server:
        await email(SAYS, told(server, security=security))
        [mail] = server.mails
        assert ("STARTTLS" in server.said) == (security == "starttls")
    assert server.recipients == ["one@example.org", "two@example.org"]
    assert (mail["Subject"], mail["Message-ID"]) == ("小明 is live", "<m1@example.org>")
    assert "Ouzel 鸟" in mail["From"]
    text, page = mail.iter_parts()
    assert text.get_content().splitlines() == ["chat", "<huya>"]  # type: ignore[attr-defined]
    assert "&lt;huya&gt;" in page.get_content()  # type: ignore[attr-defined]
    assert 'src="https://img.example/c.jpg"' in page.get_content()  # type: ignore[attr-defined]


def test_ports_that_nobody_wrote_down() -> None:
    assert PORTS == {"ssl": 465, "starttls": 587, "none": 25}


async def test_a_wrong_password_is_no_use_trying_again(email: Email, plain: FakeMailServer) -> None:
    with pytest.raises(TargetRefused, match="authentication failed") as caught:
        await email(SAYS, told(plain, password="another password"))
    assert "another password" not in str(caught.value)
    assert plain.mails == []


@pytest.mark.parametrize(
    ("command", "reply", "error"),
    [
        ("RCPT", "550 no such user", TargetRefused), ("RCPT", "450 mailbox busy", ServerTrouble),
        ("DATA", "452 no room just now", ServerTrouble), ("MAIL", "421 going down", ServerTrouble),
        ("DATA", "554 spam", TargetRefused),
    ],
)  # fmt: skip
async def test_not_now_is_not_never(
    command: str, reply: str, error: type[Exception], email: Email, plain: FakeMailServer
) -> None:
    plain.refuses[command] = reply
    with pytest.raises(error):
        await email(SAYS, told(plain))


async def test_a_certificate_that_nobody_vouches_for(server_tls: ssl.SSLContext) -> None:
    async with fake_mail_server(server_tls, wrapped=True) as server:
        with pytest.raises(TlsFailed):
            await Email()(SAYS, told(server, security="ssl"))


async def test_a_server_without_tls_is_not_given_the_password(email: Email, plain: FakeMailServer) -> None:
    with pytest.raises(TargetRefused):
        await email(SAYS, told(plain, security="starttls"))
    assert "AUTH" not in plain.said


async def test_no_server(email: Email) -> None:
    async with fake_mail_server() as server:
        settings = told(server)
    with pytest.raises((ConnectFailed, ConnectionLost)):
        await email(SAYS, settings)


async def test_no_address(email: Email, plain: FakeMailServer) -> None:
    with pytest.raises(TargetRefused, match="none"):
        await email(SAYS, told(plain, to=["not an address"]))
