"""Tokens that outlive one resolve: cookies of visitors, tickets of accounts that have signed in.

    FOLDER/tokens.db     by a digest of whose they are: the token, encrypted, and until when it is good
    FOLDER/tokens.key    the key, for the user's eyes only; without it what is kept is of no use to anybody

Several processes may use a folder at once. Nothing here fails a resolve: what cannot be read is set aside, and where nothing
can be written, nothing is kept.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

_TABLE = "CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value BLOB NOT NULL, until_s REAL NOT NULL)"
_PATIENCE_S = 2.0
"""How long another process may hold the file."""
_KEY_BYTES = 32


def default_folder() -> Path:
    """Where tokens are kept: OUZEL_STATE, else below the user's data."""
    given = os.environ.get("OUZEL_STATE")
    data = os.environ.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    return Path(given) if given else Path(data) / "ouzel"


class Store:
    """The tokens in a folder, which is made when there is one to be kept. For several threads."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        """`now`: seconds since 1970."""
        self._folder = folder
        self._file = folder / "tokens.db"
        self._key_file = folder / "tokens.key"
        self.now = now

    def drawer(self, *owner: str) -> Drawer:
        """What belongs to whoever these texts name, all together."""
        return Drawer(self, owner)

    def mend(self) -> bool:
        """Set aside what is damaged. Returns: whether it was."""
        if not self._file.exists():
            return False
        with self._calm():
            self._key()
            with closing(self._connect()) as file:
                if file.execute("PRAGMA quick_check").fetchone() != ("ok",):
                    raise sqlite3.DatabaseError("damaged")
        return not self._file.exists()

    def read(self, owner: tuple[str, ...], name: str) -> str | None:
        with self._calm():
            if not self._file.exists():
                return None
            key = self._key()
            with closing(self._connect()) as file:
                found = file.execute(
                    "SELECT value FROM kept WHERE name = ? AND until_s > ?", (_digest(key, owner, name), self.now())
                ).fetchone()
            return _unsealed(key, found[0]) if found else None
        return None

    def write(self, owner: tuple[str, ...], name: str, value: str | None, until_s: float = 0.0) -> None:
        """`value`: None: forget it. What is over is forgotten, too."""
        with self._calm():
            if value is not None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            elif not self._file.exists():
                return
            key = self._key()
            with closing(self._connect()) as file, file:
                file.execute(_TABLE)
                file.execute("DELETE FROM kept WHERE name = ? OR until_s <= ?", (_digest(key, owner, name), self.now()))
                if value is not None:
                    row = (_digest(key, owner, name), _sealed(key, value), until_s)
                    file.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", row)

    @contextmanager
    def _calm(self) -> Generator[None]:
        """Nothing that happens here is worth an answer of a platform."""
        try:
            yield
        except (OSError, sqlite3.OperationalError):
            pass  # not ours to write, full, or held by another process for long
        except (sqlite3.DatabaseError, ValueError):
            self._set_aside()

    def _set_aside(self) -> None:
        for path in (self._file, self._key_file):
            with suppress(OSError):
                path.replace(path.with_name(f"{path.name}.damaged"))

    def _connect(self) -> sqlite3.Connection:
        os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return sqlite3.connect(self._file, timeout=_PATIENCE_S)

    def _key(self) -> bytes:
        """The first process to want one makes it; a file appears under its name only when it is whole. Raises: ValueError."""
        if not self._key_file.exists():
            with NamedTemporaryFile(dir=self._folder, prefix=".tokens-") as new:  # 0600
                new.write(urlsafe_b64encode(os.urandom(_KEY_BYTES)))
                new.flush()
                with suppress(FileExistsError):
                    os.link(new.name, self._key_file)
        key = self._key_file.read_bytes()
        if len(urlsafe_b64decode(key)) != _KEY_BYTES:
            raise ValueError("no key")
        return key


@dataclass(frozen=True, slots=True)
class Drawer:
    """The tokens of one owner."""

    store: Store
    owner: tuple[str, ...]

    def kept(self, name: str) -> str | None:
        """None: there is none, or it is over."""
        return self.store.read(self.owner, name)

    def keep(self, name: str, value: str, valid_s: float) -> None:
        self.store.write(self.owner, name, value, self.store.now() + valid_s)

    def forget(self, name: str) -> None:
        self.store.write(self.owner, name, None)


def _sealed(key: bytes, value: str) -> bytes:
    from cryptography.fernet import Fernet

    return Fernet(key).encrypt(value.encode())


def _unsealed(key: bytes, token: bytes) -> str | None:
    """None when it was sealed with another key: as good as not there. Raises: ValueError when the key is none."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        return Fernet(key).decrypt(token).decode()
    except InvalidToken:
        return None


def _digest(key: bytes, owner: tuple[str, ...], name: str) -> str:
    return hmac.digest(key, "\0".join((*owner, name)).encode(), "sha256").hex()
