"""Programs of one's own: JSON, signed. As in the Standard Webhooks specification (standardwebhooks.com), 1.0."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Callable

from ouzel.notify.posting import Poster
from ouzel.notify.sender import Outgoing, Settings

_PREFIX = "whsec_"


class Webhook:
    """`webhook-id` stays the same from one attempt to the next: a receiver knows by it what it has had already."""

    def __init__(self, poster: Poster, wall: Callable[[], float] = time.time) -> None:
        self._poster = poster
        self._wall = wall

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        body = body_of(message)
        now = int(self._wall())
        headers = [
            ("Content-Type", "application/json"),
            ("webhook-id", message.id),
            ("webhook-timestamp", str(now)),
        ]
        if secret := settings.get("secret"):
            headers.append(("webhook-signature", signature(secret, message.id, now, body)))
        await self._poster.send(settings["url"], body, settings, tuple(headers))


def body_of(message: Outgoing) -> bytes:
    doc = {
        "id": message.id, "type": message.code, "timestamp": message.at.isoformat(),
        "severity": message.severity.value, "title": message.title, "text": message.text, "url": message.url,
        "picture": message.picture, "data": dict(message.data),
    }  # fmt: skip
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def signature(secret: str, message_id: str, now: int, body: bytes) -> str:
    digest = hmac.digest(key_of(secret), f"{message_id}.{now}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def key_of(secret: str) -> bytes:
    """`whsec_` and base 64, or any text as it is."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
