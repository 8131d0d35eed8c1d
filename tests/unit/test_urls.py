from __future__ import annotations

from ipaddress import ip_address

import pytest

from ouzel.base.errors import BadUrl, SchemeRefused
from ouzel.base.urls import join, literal_address, parse_url, redact, redact_text, same_origin


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("HTTP://Example.ORG:80/a/b.m3u8?x=1#top", "http://example.org/a/b.m3u8?x=1"),
        ("https://example.org", "https://example.org/"),
        ("https://example.org?x=1", "https://example.org/?x=1"),
        ("https://example.org:8443/", "https://example.org:8443/"),
        ("  https://example.org/ \n", "https://example.org/"),
        ("http://h/a b/中.ts?q=é", "http://h/a%20b/%E4%B8%AD.ts?q=%C3%A9"),
        ("http://h/a%20b?sig=%2B/=|", "http://h/a%20b?sig=%2B/=|"),
        ("http://us%40er:p%3Aw@h/", "http://us%40er:p%3Aw@h/"),
        ("http://user@h/", "http://user@h/"),
        ("http://例え.jp/", "http://xn--r8jz45g.jp/"),
        ("http://直播。example/", "http://xn--z6ut02b.example/"),
        ("http://[2001:DB8:0:0::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("http://exa_mple.com./", "http://exa_mple.com./"),
    ],
)
def test_addresses_become_canonical(text: str, canonical: str) -> None:
    assert str(parse_url(text)) == canonical
    assert str(parse_url(canonical)) == canonical


def test_the_parts_of_an_address() -> None:
    url = parse_url("https://us%40er:p%3Aw@Example.org:444/a?b=c")

    assert (url.host, url.port, url.target) == ("example.org", 444, "/a?b=c")
    assert (url.user, url.password) == ("us@er", "p:w")
    assert url.authority == "example.org:444"
    assert url.anonymous == "https://example.org:444/a?b=c"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org/live.m3u8",
        "localhost:8080/x",
        "http:///x",
        "http://",
        "http://h:99999/",
        "http://h:0/",
        "http://h:x/",
        "http://a b/",
        "http://a..b/",
        "http://-a/",
        "http://a\\@b/",
        "http://h/a\r\nX-Injected: 1",
        "http://h/\x00",
        "http://h/\udc80",
        "http://[::1",
        "http://[nonsense]/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://09.1.1.1/",
        "http://" + "a" * 64 + ".org/",
        "http://h/" + "a" * 20_000,
        "http://%31%32%37.0.0.1/",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadUrl):
        parse_url(text)


@pytest.mark.parametrize("text", ["file:///etc/passwd", "ftp://h/x", "gopher://h/", "rtmp://h/live"])
def test_only_asked_for_schemes(text: str) -> None:
    with pytest.raises(SchemeRefused):
        parse_url(text)


def test_other_schemes_have_their_own_ports() -> None:
    assert parse_url("socks5h://u:p@h", schemes={"socks5h"}).port == 1080
    assert parse_url("srt://h/x", schemes={"srt"}).port == 0


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("10.0x102", "10.0.1.2"),
        ("127.0.0.1.", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("::ffff:10.0.0.1", "::ffff:a00:1"),
    ],
)
def test_every_spelling_of_an_address(host: str, address: str) -> None:
    assert literal_address(host) == ip_address(address)
    bracketed = f"[{host}]" if ":" in host else host
    assert parse_url(f"http://{bracketed}/").host == str(ip_address(address))


@pytest.mark.parametrize("host", ["example.org", "1.2.3.4.example", "0xg", "a1", "localhost"])
def test_names_are_not_addresses(host: str) -> None:
    assert literal_address(host) is None


def test_full_width_digits_are_digits() -> None:
    assert parse_url("http://１２７.０.０.１/").host == "127.0.0.1"


@pytest.mark.parametrize(
    ("base", "reference", "joined"),
    [
        ("https://h/live/a.m3u8?t=1", "seg1.ts", "https://h/live/seg1.ts"),
        ("https://h/live/a.m3u8?t=1", "/seg1.ts?x", "https://h/seg1.ts?x"),
        ("https://h/live/a.m3u8?t=1", "?t=2", "https://h/live/a.m3u8?t=2"),
        ("https://h/live/a.m3u8", "//cdn/x.ts", "https://cdn/x.ts"),
        ("https://h/live/a.m3u8", "http://o/x.ts", "http://o/x.ts"),
        ("https://h/a/b/c.m3u8", "../../../d.ts", "https://h/d.ts"),
        ("https://u:p@h/a.m3u8", " b.ts\t", "https://u:p@h/b.ts"),
    ],
)
def test_joining(base: str, reference: str, joined: str) -> None:
    assert join(base, reference) == joined


def test_a_reference_with_a_line_break_is_refused() -> None:
    with pytest.raises(BadUrl):
        join("https://h/", "a\nb")


def test_same_origin() -> None:
    assert same_origin("https://h/a", "https://H:443/b")
    assert not same_origin("https://h/a", "http://h/a")
    assert not same_origin("https://h/a", "https://h:8443/a")
    assert not same_origin("https://h/a", "nonsense")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@cdn.example/live/abc.flv", "https://***@cdn.example/live/abc.flv"),
        (
            "https://h/a.flv?wsSecret=abcd&wsTime=66f0a1b2&codec=hevc",
            "https://h/a.flv?wsSecret=***&wsTime=66f0a1b2&codec=hevc",
        ),
        ("https://h/a?fm=MTIzNDU2Nzg5MDEyMzQ1", "https://h/a?fm=***"),
        ("https://h/a?MTIzNDU2Nzg5MDEyMzQ1", "https://h/a?***"),
        ("https://h/a#access_token=1", "https://h/a"),
        ("https://h/hls/st=1~exp=2~hmac=abcdef/live.m3u8", "https://h/hls/st=1~exp=2~hmac=***/live.m3u8"),
        ("https://h/v1/" + "C" * 80 + ".m3u8", "https://h/v1/CCCCCCCC***.m3u8"),
        ("seg.ts?token=x", "seg.ts?token=***"),
        ("user:hunter2@h:80/x", "***@h:80/x"),  # the scheme was forgotten
        ("https:/user:hunter2@h/x", "https:/***@h/x"),
        ("https://h/https://user:hunter2@h2/x", "https://h/https://***@h2/x"),
        ("seg@2x.ts", "seg@2x.ts"),
        ("data:text/plain;base64,c2VjcmV0", "data:***"),
        ("", ""),
    ],
)
def test_secrets_are_not_shown(url: str, shown: str) -> None:
    assert redact(url) == shown


def test_errors_show_no_secret() -> None:
    with pytest.raises(BadUrl) as caught:
        parse_url("http://user:hunter2@h:0/?token=abc")

    assert "hunter2" not in str(caught.value)
    assert "abc" not in str(caught.value)


def test_secrets_in_text() -> None:
    text = redact_text('{"access_token": "abc.def", "u": "https://h/b?token=1"}\nCookie: a=b; c=d\nplain words')

    assert text == '{"access_token": "***", "u": "https://h/b?token=***"}\nCookie: ***\nplain words'
