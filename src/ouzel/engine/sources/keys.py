"""Keys of AES-128, by the address that a playlist names; asked for once, however many segments want one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from ouzel.base.errors import Encrypted, FormatError, NotMedia, OuzelError
from ouzel.base.urls import redact
from ouzel.formats.m3u8 import Key

KEY_BYTES = 16
MAX_KEY_ANSWER = 64 * 1024
_MOST = 1000


class Keyring:
    """Args: fetch: gets what is at an address; it raises what the way there raises."""

    def __init__(self, fetch: Callable[[str], Awaitable[bytes]]) -> None:
        self._fetch = fetch
        self._keys: dict[str, bytes] = {}
        self._turn = anyio.Lock()

    async def find(self, key: Key) -> bytes:
        """16 bytes. Raises: Encrypted for what cannot be read; FormatError, NotMedia for what is no key; as `fetch`."""
        if key.method != "AES-128":
            raise Encrypted(f"the stream is encrypted with {key.method}, which Ouzel cannot read", method=key.method)
        if key.uri is None:
            raise FormatError("EXT-X-KEY names no key address")
        if (known := self._keys.get(key.uri)) is not None:
            return known
        async with self._turn:
            if key.uri not in self._keys:
                data = await self._ask(key.uri)
                if len(self._keys) >= _MOST:
                    self._keys.clear()
                self._keys[key.uri] = data
            return self._keys[key.uri]

    def forget(self, key: Key) -> None:
        """It did not fit: it may have changed, and is asked for again."""
        self._keys.pop(key.uri or "", None)

    async def _ask(self, uri: str) -> bytes:
        if uri.lower().startswith("data:"):
            from ouzel.engine.sources.aes import read_data_uri

            data = read_data_uri(uri)
        else:
            try:
                data = await self._fetch(uri)
            except OuzelError as exc:
                exc.tell_of(f"the key {redact(uri)[:80]}")
                raise
        if len(data) != KEY_BYTES:
            raise NotMedia(f"the key at {redact(uri)[:80]} has {len(data)} bytes instead of {KEY_BYTES}")
        return data
