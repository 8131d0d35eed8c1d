"""Addresses that are no page of a platform: what is there when they are tried as addresses of streams."""

from __future__ import annotations

from urllib.parse import urlsplit

from ouzel.base.errors import BadUrl, NotMedia, OuzelError, UnknownSite
from ouzel.base.headers import Fields, replaced
from ouzel.engine.sources.detect import HTTP_SCHEMES
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Options
from ouzel.platforms.registry import registry, tidy
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import HttpClient


async def try_as_stream(
    http: HttpClient, ffmpeg: FfmpegFinder, url: str, options: Options, *, timeout_s: float, headers: Fields = ()
) -> Told:
    """What is there. An error tells in its context what is known of the host: `unknown_site`, `nearest`.

    Args:
        headers: sent beside what `options` say, or in place of it.
    Raises: BadUrl, BadOption.
    """
    from ouzel.engine.look import look  # and with it what reads playlists

    given = url.strip()
    scheme, _, rest = given.partition(":")
    if "://" not in given and (scheme.lower() in {*HTTP_SCHEMES, given.lower()} or rest[:1].isdigit()):
        address = tidy(given)  # without a scheme, perhaps with a port
    else:
        address = given  # as it stands, since a path may have characters that no page's has
    near = registry().nearest(urlsplit(address).hostname or "")
    cookies = "" if near else options.cookies  # they may be meant for the host that this one only looks like
    own = (("User-Agent", options.user_agent), ("Cookie", cookies))
    sent = replaced(tuple(h for h in own if h[1]), headers)
    stream = Stream(address, sent, options.proxy or None, options.verify_tls)
    looked = await look(http, ffmpeg, stream, timeout_s=timeout_s)
    outcome = looked.outcome
    if isinstance(outcome, OuzelError) and urlsplit(address).scheme in HTTP_SCHEMES:
        site, context = registry().unknown(url), outcome.context
        if isinstance(outcome, NotMedia):
            outcome = UnknownSite(f"{site}; and as the address of a stream: {outcome}", **context)
        outcome.context |= {"unknown_site": str(site), "nearest": [platform.name for platform in near]}
    return Told("own", outcome, looked.evidence)


def check_written(text: str) -> None:
    """Raises: BadUrl for what is plainly meant as something else."""
    if not text.strip():
        raise BadUrl("an address is needed, and this one is empty")
    if text.startswith(("/", "./", "../", "~")) and not text.startswith("//"):
        raise BadUrl(f"{text[:200]} is a file or folder of this machine; an address is written https://host/path")
