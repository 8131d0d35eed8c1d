"""The key of the data folder, and what is derived from it: sessions, encryption at rest, signed addresses."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from ouzel.base.errors import NotAllowed, ReadOnly, SecretUnreadable

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_KEY_BYTES = 32
_MAC_CHARS = 32  # of hexadecimal digits: 128 bits


class Secrets:
    """Keys for each purpose, derived from one.

    Args:
        master: 32 random bytes.
    """

    def __init__(self, master: bytes) -> None:
        self._master = master

    def key(self, purpose: str) -> bytes:
        """32 bytes for one purpose, which tell nothing of those for others: HKDF with SHA-256 (RFC 5869), one block."""
        pseudorandom = hmac.digest(b"ouzel", self._master, "sha256")
        return hmac.digest(pseudorandom, purpose.encode() + b"\x01", "sha256")

    @cached_property
    def box(self) -> SecretBox:
        """For settings at rest."""
        return SecretBox(self.key("fernet"))

    @cached_property
    def signer(self) -> Signer:
        """For addresses of media."""
        return Signer(self.key("signing"))


class SecretBox:
    """Encrypts texts that stand in the database."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @cached_property
    def _fernet(self) -> Fernet:
        from cryptography.fernet import Fernet  # 9 MB: only who has secrets pays

        return Fernet(urlsafe_b64encode(self._key))

    def seal(self, text: str) -> str:
        """Encrypted, as ASCII; another one each time."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises: SecretUnreadable: it was sealed with another key, or is damaged."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable("this secret was not encrypted with the present secret.key: give it again") from None


class Signer:
    """Addresses that are good for one user and a short time, for players that send no cookie."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, path: str, user_id: str, until: datetime) -> str:
        """The query to add to `path`: `user=…&until=…&sign=…`."""
        seconds = int(until.timestamp())
        return urlencode({"user": user_id, "until": seconds, "sign": self._mac(path, user_id, seconds)})

    def verify(self, path: str, query: str, now: datetime) -> str:
        """Id of the user for whom `path` was signed. Raises: NotAllowed."""
        fields = {name: values[-1] for name, values in parse_qs(query).items()}
        user_id, told, given = fields.get("user", ""), fields.get("until", ""), fields.get("sign", "")
        until = int(told) if told.isascii() and told.isdigit() and len(told) <= 12 else 0
        if not hmac.compare_digest(self._mac(path, user_id, until).encode(), given.encode()):
            raise NotAllowed("this address was not signed here")
        if until <= now.astimezone(UTC).timestamp():
            raise NotAllowed("this address has expired")
        return user_id

    def _mac(self, path: str, user_id: str, until: int) -> str:
        text = "\n".join((path, user_id, str(until)))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:_MAC_CHARS]


def load_secrets(path: Path) -> Secrets:
    """Read `secret.key`, or make it; blocking. Whoever calls holds the data folder.

    Raises: SecretUnreadable, ReadOnly.
    """
    try:
        try:
            text = path.read_text("ascii")
        except FileNotFoundError:
            return Secrets(_make(path))
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        master = bytes.fromhex(text)
    except ValueError:
        raise SecretUnreadable(f"{path} is damaged: bring its copy back; without it secrets are lost") from None
    except OSError as exc:
        raise ReadOnly(f"{path}: {(exc.strerror or str(exc)).lower()}") from exc
    if len(master) != _KEY_BYTES:
        raise SecretUnreadable(f"{path} is damaged: bring its copy back; without it secrets are lost")
    return Secrets(master)


def _make(path: Path) -> bytes:
    """Whole, or not at all."""
    master = secrets.token_bytes(_KEY_BYTES)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    draft.unlink(missing_ok=True)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(master.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return master
