"""Groups and people of messengers: robots of WeCom and DingTalk, Telegram."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

from ouzel.base.errors import TargetRefused
from ouzel.notify.posting import Poster, judge
from ouzel.notify.sender import Outgoing, Settings, fitted, utf8

_WECOM_TEXT, _WECOM_NEWS, _WECOM_TITLE = 2048, 512, 128  # bytes
_DINGTALK = 18_000  # bytes
_TELEGRAM_TEXT, _TELEGRAM_CAPTION = 4096, 1024  # characters
TELEGRAM = "https://api.telegram.org"


class Wecom:
    """A robot of a WeCom group: `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…`.

    Source: developer.work.weixin.qq.com/document/path/91770.
    """

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        answer = await self._poster.post(settings["url"], _wecom(message, settings), settings)
        judge(answer, settings, field="errcode", good=0, why="errmsg", busy=(45009, 45033), broken=(-1,))


def _wecom(message: Outgoing, settings: Settings) -> dict[str, Any]:
    """A card with the picture; of text where somebody is called, which cards cannot."""
    called = [*settings.get("phones", ()), *(["@all"] if settings.get("at_all") else [])]
    if message.picture and message.url and not called:
        article = {
            "title": fitted(message.title, _WECOM_TITLE, size=utf8),
            "description": fitted(message.text, _WECOM_NEWS, size=utf8),
            "url": message.url,
            "picurl": message.picture,
        }
        return {"msgtype": "news", "news": {"articles": [article]}}
    text = {"content": fitted(message.whole, _WECOM_TEXT, size=utf8), "mentioned_mobile_list": called}
    return {"msgtype": "text", "text": text}


class Dingtalk:
    """A robot of a DingTalk group, signed where it has a secret.

    Source: open.dingtalk.com/document/robots/custom-robot-access.
    """

    def __init__(self, poster: Poster, wall: Callable[[], float] = time.time) -> None:
        self._poster = poster
        self._wall = wall

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        url = settings["url"]
        if secret := settings.get("secret"):
            url += ("&" if "?" in url else "?") + dingtalk_sign(secret, round(self._wall() * 1000))
        answer = await self._poster.post(url, _dingtalk(message, settings), settings)
        judge(answer, settings, field="errcode", good=0, why="errmsg", busy=(130101, 410100), broken=(-1,))


def dingtalk_sign(secret: str, now_ms: int) -> str:
    """The query that shows that we know the secret."""
    digest = hmac.digest(secret.encode(), f"{now_ms}\n{secret}".encode(), "sha256")
    return f"timestamp={now_ms}&sign={quote_plus(base64.b64encode(digest))}"


def _dingtalk(message: Outgoing, settings: Settings) -> dict[str, Any]:
    phones: list[str] = [*settings.get("phones", ())]
    called = "".join(f" @{phone}" for phone in phones)  # in a text with a picture they are called by their numbers
    at = {"atMobiles": phones, "isAtAll": bool(settings.get("at_all"))}
    if not message.picture:
        content = fitted(message.whole, _DINGTALK, size=utf8)
        return {"msgtype": "text", "text": {"content": content}, "at": at}
    lines = message.text.replace("\n", "\n\n")
    text = fitted(f"### {message.title}\n\n{lines}", _DINGTALK, size=utf8) + f"\n\n![]({message.picture}){called}"
    return {"msgtype": "markdown", "markdown": {"title": message.title, "text": text}, "at": at}


class Telegram:
    """A bot. Source: core.telegram.org/bots/api."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        shared = {"chat_id": settings["chat"], "disable_notification": bool(settings.get("silent"))}
        if message.picture:
            caption = fitted(message.whole, _TELEGRAM_CAPTION)
            try:
                await self._call("sendPhoto", {**shared, "photo": message.picture, "caption": caption}, settings)
                return
            except TargetRefused as exc:
                if "chat" in str(exc) or "Unauthorized" in str(exc):
                    raise
        await self._call("sendMessage", {**shared, "text": fitted(message.whole, _TELEGRAM_TEXT)}, settings)

    async def _call(self, method: str, doc: Mapping[str, Any], settings: Settings) -> None:
        """A picture that Telegram cannot fetch is a no as well: then the words alone are sent."""
        base = settings.get("base", TELEGRAM).rstrip("/")
        answer = await self._poster.post(f"{base}/bot{settings['token']}/{method}", doc, settings)
        told: dict[Any, Any] = {True: 0, False: answer.get("error_code", 400)}
        code = told.get(answer.get("ok"))
        judge({**answer, "code": code}, settings, field="code", good=0, why="description", busy=(429,))
