"""Files of cookies, and which cookie goes where."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ouzel.base.errors import BadOption
from ouzel.system.http.cookie_files import is_header, parse_cookies, read_cookies

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER, EARLIER = int(NOW.timestamp()) + 60, int(NOW.timestamp()) - 60


def line(
    domain: str = ".example.org", subdomains: str = "TRUE", path: str = "/", secure: str = "FALSE", expires: object = 0,
    name: str = "sid", value: str = "abc",
) -> str:  # fmt: skip
    return "\t".join([domain, subdomains, path, secure, str(expires), name, value])


def header(text: str, url: str) -> str | None:
    return parse_cookies(text, host="live.example.org").header(url, NOW)


@pytest.mark.parametrize(
    ("text", "url", "sent"),
    [
        (line(), "https://example.org/", True),
        (line(), "https://www.example.org/x", True),
        (line(), "https://notexample.org/", False),
        (line(), "https://example.org.evil.test/", False),
        (line(".Example.ORG"), "https://EXAMPLE.org/", True),
        (line("example.org", "FALSE"), "https://example.org/", True),
        (line("example.org", "FALSE"), "https://www.example.org/", False),
        (line(path="/live"), "https://example.org/live", True),
        (line(path="/live"), "https://example.org/live/a.m3u8?x", True),
        (line(path="/live"), "https://example.org/lively", False),
        (line(path="/live/"), "https://example.org/live", False),
        (line(secure="TRUE"), "https://example.org/", True),
        (line(secure="TRUE"), "http://example.org/", False),
        (line(expires=LATER), "https://example.org/", True),
        (line(expires=EARLIER), "https://example.org/", False),
        (line(expires=f"{LATER}.5"), "https://example.org/", True),
        ("#HttpOnly_" + line(), "https://example.org/", True),
        ("# " + line() + "\n" + line(name="other"), "https://example.org/", False),
        (line(), "nonsense", False),
    ],
)
def test_which_cookie_goes_where(text: str, url: str, sent: bool) -> None:
    assert (header(text, url) == "sid=abc") == sent


def test_longer_paths_come_first_and_the_last_of_a_kind_holds() -> None:
    text = "\r\n".join(
        [
            "# Netscape HTTP Cookie File",
            "",
            line(value="1"),
            line(path="/live", name="b"),
            line(value="2"),
            line(name="c", value=""),
        ]
    )

    assert header(text, "https://example.org/live/x") == "b=abc; sid=2; c="


@pytest.mark.parametrize("text", ["a=b; c=d=e", "Cookie: a=b; c=d=e;\n", "\n# from the browser\na=b;c=d=e\n"])
def test_a_bare_header_belongs_to_the_channels_host(text: str) -> None:
    assert header(text, "http://live.example.org/x") == "a=b; c=d=e"
    assert header(text, "https://cdn.live.example.org/x") == "a=b; c=d=e"
    assert header(text, "https://example.org/x") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no cookies"),
        ("# only a comment\n", "has no cookies"),
        ("nonsense", "line 1: a cookie is written as name=value"),
        ("a=b; nonsense", "line 1: a cookie is written as name=value"),
        ("a b=c", "line 1: the name of a cookie"),
        (line(name="a b"), "line 1: the name of a cookie"),
        ('[{"name": "sid" "value": "abc"}]', "line 1, column 17: it begins as JSON, and is none"),
        ('{"cookies": {}}', "is JSON without a list of cookies"),
        ('{"sid": "abc"}', "is JSON without a list of cookies"),
        ("[]", "has no cookies"),
        ('["abc"]', "cookie 1: it is no object"),
        (
            '[{"name": "sid", "value": "a\\ud83d", "domain": "h"}]',
            "cookie 1: the value of the cookie sid has characters",
        ),
        ('[{"name": "sid", "value": 5}]', "cookie 1: its name and its value"),
        ('[{"name": "sid", "value": "abc"}]', "cookie 1 ('sid'): it has no domain"),
        ('[{"name": "sid", "value": "abc", "domain": "h", "path": "x"}]', "cookie 1 ('sid'): its path"),
        ('[{"name": "sid", "value": "abc", "domain": "h", "expires": "soon"}]', "cookie 1: it does not say when"),
        ('[{"name": "sid", "value": "secret;", "domain": "h"}]', "cookie 1: the value of the cookie sid"),
        ("[" * 100_000, "is no JSON of cookies: it is nested"),
        ("a=b\nc=d", "line 1: 1 fields between tabs"),
        (line() + "\n\n" + line() + "\tmore", "line 3: 8 fields between tabs"),
        (line(subdomains="yes"), "line 1: the second and the fourth field"),
        (line(expires="never"), "line 1: the fifth field"),
        (line(path="live"), "line 1: the first field is a domain"),
        (line(domain="."), "line 1: the first field is a domain"),
        (line(value="a;secret"), "line 1: the value of the cookie sid"),
    ],
)
def test_files_that_are_not_what_they_should_be(text: str, words: str) -> None:
    with pytest.raises(BadOption) as caught:
        parse_cookies(text, host="h", source="c.txt")

    assert f"c.txt{' ' if words.startswith(('has', 'is')) else ', '}{words}" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "abc" not in str(caught.value)


JSON = {"name": "sid", "value": "abc", "domain": ".example.org", "path": "/", "secure": False}


@pytest.mark.parametrize(
    ("given", "url", "sent"),
    [
        ({}, "https://www.example.org/", True),  # as EditThisCookie and Cookie-Editor write it
        (
            {"hostOnly": False, "session": True, "storeId": "0", "sameSite": "no_restriction"},
            "https://example.org/",
            True,
        ),
        ({"domain": "example.org", "hostOnly": True}, "https://example.org/", True),
        ({"domain": "example.org", "hostOnly": True}, "https://www.example.org/", False),
        ({"domain": "example.org", "hostOnly": False}, "https://www.example.org/", True),
        ({"domain": "example.org"}, "https://www.example.org/", False),
        ({"secure": True}, "http://example.org/", False),
        ({"path": "/live"}, "https://example.org/other", False),
        ({"path": None}, "https://example.org/other", True),
        ({"expirationDate": LATER + 0.123}, "https://example.org/", True),
        ({"expirationDate": EARLIER + 0.123}, "https://example.org/", False),
        ({"expires": -1}, "https://example.org/", True),  # Playwright: with the session
        ({"expires": EARLIER * 1000}, "https://example.org/", False),
        ({"expires": str(EARLIER)}, "https://example.org/", False),
        ({"expires": "2025-01-01T00:00:00.000Z"}, "https://example.org/", False),
        ({"expires": None, "expiry": EARLIER}, "https://example.org/", False),
        ({"domain": ".evil.test"}, "https://example.org/", False),
    ],
)
def test_the_json_of_browsers(given: dict[str, object], url: str, sent: bool) -> None:
    cookies = [{**JSON, **given}]
    for doc in (cookies, {"cookies": cookies, "origins": []}):
        assert (header("\n " + json.dumps(doc, indent=1), url) == "sid=abc") == sent


def test_tabs_that_became_spaces() -> None:
    text = "#HttpOnly_.example.org  TRUE  /  FALSE  0  sid  abc\r\n.example.org TRUE / FALSE 0 b a b\r\n"
    assert header(text, "https://example.org/") == "sid=abc; b=a b"


def test_names_that_browsers_send_too() -> None:
    assert header(line(name="a[b]:c"), "https://example.org/") == "a[b]:c=abc"


def test_which_are_over() -> None:
    text = "\n".join(
        [line(name="old", expires=EARLIER), line(name="new"), line("other.test", name="x", expires=EARLIER)]
    )
    jar = parse_cookies(text, host="h")
    assert [cookie.name for cookie in jar.expired("https://example.org/", NOW)] == ["old"]
    assert "abc" not in repr([*jar])


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a=b", True),
        ("a=b/c; d=e", True),
        ("Cookie: a=b", True),
        ("cookies.txt", False),
        ("./a=b", False),
        ("/home/a=b/cookies.txt", False),
        ("~/a=b", False),
        ("", False),
    ],
)
def test_a_header_is_no_path(text: str, is_one: bool) -> None:
    assert is_header(text) == is_one


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    path.write_bytes(b"\xef\xbb\xbf" + line(value="中").encode())

    assert read_cookies(path, host="h").header("https://example.org/", NOW) == "sid=中"


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no such file"), (b"\xff\xfe\x00", "not text in UTF-8"), (b"a" * 5_000_000, "larger than")],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "cookies.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadOption, match=words):
        read_cookies(path, host="h")
