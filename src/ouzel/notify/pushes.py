"""Telephones: xizhi, ServerChan and PushPlus (WeChat), Bark (iOS), ntfy."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ouzel.base.errors import BadResponse, TargetRefused
from ouzel.model.notices import Severity
from ouzel.notify.posting import Poster, judge
from ouzel.notify.sender import Outgoing, Settings, fitted, utf8

PUSHPLUS = "https://www.pushplus.plus"
_SERVERCHAN_TITLE, _TITLE = 32, 100  # characters
_LONG, _APNS, _NTFY = 20_000, 3000, 4000  # bytes
_UID = re.compile(r"sctp(\d+)t", re.IGNORECASE)
_PRIORITY = {Severity.INFO: 3, Severity.WARNING: 4, Severity.ERROR: 5}


class Xizhi:
    """`https://xizhi.qqoq.net/KEY.send`, and for many people `KEY.channel`."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        doc = {"title": fitted(message.title, _TITLE), "content": fitted(_markdown(message), _LONG, size=utf8)}
        answer = await self._poster.post(settings["url"], doc, settings)
        judge(answer, settings, field="code", good=200, why="msg", busy=(429,), broken=(500,))


class Serverchan:
    """Both of its editions: a key that begins with `sctp` has a host of its own. Source: sct.ftqq.com, sc3.ft07.com."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        key: str = settings["key"]
        uid = _UID.match(key)
        base: str = settings.get("base") or (f"https://{uid[1]}.push.ft07.com" if uid else "https://sctapi.ftqq.com")
        path = f"send/{key}.send" if uid else f"{key}.send"
        doc = {"title": fitted(message.title, _SERVERCHAN_TITLE), "desp": fitted(_markdown(message), _LONG, size=utf8)}
        answer = await self._poster.post(f"{base.rstrip('/')}/{path}", doc, settings)
        if "errno" in answer:
            judge(answer, settings, field="errno", good=0, why="error")
        judge(answer, settings, field="code", good=0, why="message", busy=(40035, 429))


class Pushplus:
    """Source: pushplus.plus/doc/guide/api.html."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        doc = {
            "token": settings["token"], "title": fitted(message.title, _TITLE),
            "content": fitted(_markdown(message), _LONG, size=utf8),
            "template": "markdown",
        }  # fmt: skip
        if topic := settings.get("topic"):
            doc["topic"] = topic
        answer = await self._poster.post(f"{settings.get('base', PUSHPLUS).rstrip('/')}/send", doc, settings)
        judge(answer, settings, field="code", good=200, why="msg", busy=(900,), broken=(500, 999))


class Bark:
    """`https://api.day.app/KEY`, or a server of one's own. Source: github.com/Finb/bark-server, docs/API_V2.md."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        base, key = _split_last(settings["url"])
        if not key:
            raise TargetRefused("the address of Bark has no key: https://api.day.app/KEY")
        doc: dict[str, Any] = {
            "device_key": key, "title": message.title, "body": fitted(message.text or message.title, _APNS, size=utf8),
        }  # fmt: skip
        doc |= {name: settings[name] for name in ("level", "sound", "group") if settings.get(name)}
        doc |= {"url": message.url} if message.url else {}
        doc |= {"image": message.picture} if message.picture else {}
        answer = await self._poster.post(f"{base}/push", doc, {**settings, "key": key})
        judge(answer, {**settings, "key": key}, field="code", good=200, why="message", busy=(429,), broken=(500,))


class Ntfy:
    """`https://ntfy.sh/TOPIC`, or a server of one's own. Source: docs.ntfy.sh/publish, "Publish as JSON"."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        base, topic = _split_last(settings["url"])
        if not topic:
            raise TargetRefused("the address of ntfy has no topic: https://ntfy.sh/TOPIC")
        doc: dict[str, Any] = {
            "topic": topic, "title": message.title, "message": fitted(message.text or message.title, _NTFY, size=utf8),
            "priority": settings.get("priority") or _PRIORITY[message.severity],
        }  # fmt: skip
        doc |= {name: settings[name] for name in ("tags", "email") if settings.get(name)}
        doc |= {"click": message.url} if message.url else {}
        doc |= {"attach": message.picture} if message.picture else {}
        token = settings.get("token")
        headers = (("Authorization", f"Bearer {token}"),) if token else ()
        answer = await self._poster.post(f"{base}/", doc, {**settings, "topic": topic}, headers)
        if "id" not in answer:
            raise BadResponse("what answers there is not ntfy")


def _split_last(url: str) -> tuple[str, str]:
    """The address of the server, and the last part of the path, as for `https://api.day.app/KEY/`."""
    parts = urlsplit(url)
    before, _, last = parts.path.rstrip("/").rpartition("/")
    return urlunsplit((parts.scheme, parts.netloc, before, "", "")), last


def _markdown(message: Outgoing) -> str:
    """With the picture; of these services a single line break is none."""
    lines = (message.text or message.title).replace("\n", "\n\n")
    return f"{lines}\n\n![]({message.picture})" if message.picture else lines
