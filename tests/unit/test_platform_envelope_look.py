"""What LOOK is asked: it must open again with the keys that the page has."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from ouzel.platforms.sites.look import sealed


def opened(text: bytes, key: bytes) -> bytes:
    aes = Cipher(algorithms.AES(key), modes.CBC(b"0102030405060708")).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(aes.update(base64.b64decode(text)) + aes.finalize()) + unpadder.finalize()


def test_it_opens_again() -> None:
    form = sealed({"liveRoomNo": "21623631"})

    inner = opened(form["params"].encode(), b"0123456789abcdef")
    assert opened(inner, b"0CoJUm6Qyw8W8jud") == b'{"liveRoomNo":"21623631"}'
    assert len(form["encSecKey"]) == 256
