"""AES-128-CBC as HLS uses it, decrypted while it arrives (RFC 8216 section 4.3.2.4, 5.2)."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from ouzel.base.errors import FormatError, ShortBody

_BLOCK = 16
_PIECE = 256 * 1024


class Aes128Stream:
    """Decrypts one segment. Only its last block is held back, because it ends in padding."""

    __slots__ = ("_buffer", "_decryptor", "_held", "bad_padding")

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._decryptor = Cipher(AES(key), CBC(iv)).decryptor()
        self._buffer = bytearray(_PIECE + 2 * _BLOCK)
        self._held = b""
        self.bad_padding = False
        """The end was not padded as it should be; all bytes were kept."""

    def feed(self, piece: memoryview) -> memoryview:
        """The decrypted bytes so far, one block behind; writable, valid until the next call."""
        out = memoryview(self._buffer)
        if len(self._held) + len(piece) + _BLOCK > len(self._buffer):
            self._buffer = bytearray(len(piece) + 4 * _BLOCK)
            out = memoryview(self._buffer)
        start = len(self._held)
        out[:start] = self._held
        written = self._decryptor.update_into(piece, out[start:])
        have = start + written
        keep = min(have, _BLOCK)
        self._held = bytes(out[have - keep : have])
        return out[: have - keep]

    def finish(self) -> memoryview:
        """The end of the segment, without its padding. Raises: ShortBody when it is not made of whole blocks."""
        try:
            rest = self._held + self._decryptor.finalize()
        except ValueError as exc:
            raise ShortBody("an encrypted segment is not made of whole AES blocks: it was cut") from exc
        pad = rest[-1] if rest else 0
        if 1 <= pad <= _BLOCK and rest.endswith(bytes([pad]) * pad):
            rest = rest[:-pad]
        else:
            self.bad_padding = bool(rest)
        return memoryview(bytearray(rest))


def read_data_uri(uri: str) -> bytes:
    """The bytes of a `data:` address, as keys are sometimes given. Raises: FormatError. Source: RFC 2397."""
    head, comma, body = uri.partition(",")
    if not comma:
        raise FormatError("a data: address without a comma")
    data = unquote_to_bytes(body)
    if not head.lower().rstrip().endswith(";base64"):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as exc:
        raise FormatError(f"a data: address whose base64 cannot be read: {exc}") from exc
