"""Whether two addresses name the same segment, though their tokens, hosts or signatures differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from ouzel.formats.m3u8 import Segment

_IN_PATH = frozenset(
    {
        *(
            "acl",
            "auth",
            "ei",
            "expire",
            "expires",
            "hdnea",
            "hdntl",
            "hdnts",
            "hmac",
            "ip",
            "ipbits",
            "lsig",
            "lsparams",
        ),
        *("session", "sessionid", "sig", "signature", "sparams", "token", "tokens"),
    }
)
"""Names, in lower case, after which a path element proves a right and runs out, and is not what is asked for."""
_IN_QUERY = _IN_PATH | {
    *(
        "auth_key",
        "authkey",
        "cdntoken",
        "e",
        "exp",
        "hash",
        "jwt",
        "key-pair-id",
        "md5",
        "nonce",
        "policy",
        "rnd",
        "sid",
    ),
    *("sign", "st", "t", "tk", "ts", "txsecret", "txtime", "uid", "wssecret", "wstime", "x-amz-algorithm"),
    *(
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    ),
}
"""The same for parameters of the query."""

_ASSIGNED = re.compile(r"(?:^|~)(?:exp|expires?|st|acl|hmac|hdn(?:tl|ts|ea)|token|sig(?:nature)?)=", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[A-Za-z0-9_-]{22}")
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?|[5-7][0-9a-fA-F]{7}")
_DIGITS = re.compile(r"\d+")


def path_identity(uri: str) -> str:
    """The path without its tokens; host and query play no part.

    Taken out are: `name/value` pairs of a token name (`/expire/1700000000/sig/…`), elements that assign one
    (`/hdntl=exp=…~acl=…~hmac=…/`), a digest beside a time (`/5f4dcc…/1700000000/`), and path parameters (`;jsessionid=…`).
    The last element, which is the file, always stays.
    """
    folder, slash, name = _path(uri).rpartition("/")
    return _without_tokens(folder) + slash + name.partition(";")[0]


@lru_cache(maxsize=512)  # the segments of a list lie in one folder, or a few
def _without_tokens(folder: str) -> str:
    elements = [element.partition(";")[0] for element in folder.split("/")]
    kept: list[str] = []
    at = 0
    while at < len(elements):
        here, after = elements[at], elements[at + 1] if at + 1 < len(elements) else ""
        if after and (here.lower() in _IN_PATH or _is_digest_and_time(here, after)):
            at += 2
        elif _ASSIGNED.search(here):
            at += 1
        else:
            kept.append(here)
            at += 1
    return "/".join(kept)


def series(uri: str) -> str:
    """The path without tokens and numbers: the same for all segments that one encoder writes, as a rule."""
    return _DIGITS.sub("0", path_identity(uri))


def file_name(uri: str) -> str:
    """The last element of the path."""
    return _path(uri).rpartition("/")[2].partition(";")[0]


def _is_digest_and_time(one: str, other: str) -> bool:
    return bool(
        (_DIGEST.fullmatch(one) and _EPOCH.fullmatch(other)) or (_EPOCH.fullmatch(one) and _DIGEST.fullmatch(other))
    )


def _path(uri: str) -> str:
    address = uri.partition("#")[0].partition("?")[0]
    host = address.find("://") + 3
    return address if host < 3 else address[address.find("/", host) :] if "/" in address[host:] else ""


def _host(uri: str) -> str:
    return uri.partition("://")[2].partition("/")[0].partition("?")[0]


def _host_and_path(uri: str) -> str:
    return _host(uri) + path_identity(uri)


def _with_query(uri: str) -> str:
    pairs = (
        pair
        for pair in uri.partition("#")[0].partition("?")[2].split("&")
        if pair.partition("=")[0].lower() not in _IN_QUERY
    )
    return f"{_host_and_path(uri)}?{'&'.join(pairs)}"


_LEVELS: tuple[Callable[[str], str], ...] = (path_identity, _host_and_path, _with_query, str)
"""From the least that can tell segments apart to all there is."""


def telling(segments: Sequence[Segment]) -> Callable[[str], str]:
    """The identity that is fit for a playlist: the first that gives different segments of it different names.

    Mostly that is the path without tokens; where all segments have one path, or ads come from another host under the same
    names, more of the address is needed.

    Args:
        segments: of one answer of the server, so that a difference is not one of tokens alone.
    """
    listed = {(segment.uri, segment.byte_range) for segment in segments}
    return next(level for level in _LEVELS if len({(level(uri), span) for uri, span in listed}) == len(listed))


def is_same(one: Segment, other: Segment, identity: Callable[[str], str] = path_identity) -> bool:
    """Whether two listings are of the same segment, going by address and byte range alone."""
    return one.byte_range == other.byte_range and (one.uri == other.uri or identity(one.uri) == identity(other.uri))
