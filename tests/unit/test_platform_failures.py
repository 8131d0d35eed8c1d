"""Requests that got no answer: why, whatever words a library has for it."""

from __future__ import annotations

import pytest

from ouzel.platforms.watch import network_error

POOL = "HTTPSConnectionPool(host='sslproxy.shop.example', port=443)"
LOST = f"{POOL}: Max retries exceeded with url: /tls/socks?timeout=1 (Caused by "


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("_ssl.c:989: The handshake operation timed out", "stalled"),
        ("Failed to perform, curl: (28) SSL connection timeout", "stalled"),
        (f"{POOL}: Read timed out. (read timeout=10)", "stalled"),
        (f"SOCKS{POOL}: Read timed out. (read timeout=10)", "stalled"),
        (f"{LOST}NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))", "connect_failed"),
        (f"{LOST}NameResolutionError(\"Failed to resolve (Name or service not known)\"))", "host_not_found"),
        (f"{LOST}ConnectionResetError(104, 'Connection reset by peer'))", "connection_lost"),
        (f"{LOST}ProxyError('Unable to connect to proxy', timed out))", "proxy_failed"),
        (f"SOCKS{LOST}NewConnectionError('0x01: General SOCKS server failure'))", "proxy_failed"),
        (f"{LOST}SSLError(SSLCertVerificationError(1, 'certificate verify failed')))", "tls_failed"),
    ],
)  # fmt: skip
def test_why_no_answer_came_is_told_by_words_and_not_by_names(said: str, code: str) -> None:
    error = network_error(OSError(said), "https://sslproxy.shop.example/tls/socks?timeout=1")
    assert error.code == code
