"""What somebody has written as the address of a channel: a page of a platform, or the address of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ouzel.base.errors import BadUrl, SchemeRefused
from ouzel.base.urls import MASK, parse_url, redact
from ouzel.engine.sources.detect import FFMPEG_SCHEMES, HTTP_SCHEMES
from ouzel.model.channel import DIRECT
from ouzel.model.naming import telling_name
from ouzel.platforms.registry import registry, tidy

_SCHEMES = HTTP_SCHEMES | FFMPEG_SCHEMES


@dataclass(frozen=True, slots=True)
class Address:
    """Tidied up: two spellings of one page are equal."""

    url: str
    platform: str
    """`direct` for the address of a stream."""
    name: str
    """What the address itself calls the channel."""

    @property
    def shown(self) -> str:
        return redact(self.url)


def read_address(text: str) -> Address:
    """Raises: BadUrl, which says what is wrong and what was meant."""
    given = text.strip()
    if not given:
        raise BadUrl("an address is needed, and this one is empty")
    if MASK in given:
        raise BadUrl(f"{redact(given)[:200]} is an address as it is shown: give it with what {MASK} stands for")
    if "://" not in given or given.lower().startswith(("http://", "https://")):
        url = tidy(given)
        if (match := registry().known(url)) is not None:
            return Address(match.url, match.platform.name, next(iter(match.named.values()), match.platform.title))
        if "://" not in given and "." not in (urlsplit(url).hostname or ""):
            raise BadUrl(f"{redact(given)[:200]} is no address; one looks like https://live.bilibili.com/21495945")
        given = url if "://" not in given else given
    try:
        parse_url(given, schemes=_SCHEMES)
    except SchemeRefused:
        known = ", ".join([*sorted(HTTP_SCHEMES), *sorted(FFMPEG_SCHEMES)])
        raise BadUrl(f"{given.partition(':')[0][:20]}: is no scheme that can be recorded; there are {known}") from None
    parts = urlsplit(given)
    return Address(given, DIRECT, telling_name(parts.path, parts.hostname or ""))
