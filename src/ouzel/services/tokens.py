"""Tokens: short ones that are signed, long ones of which only a hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from ouzel.base.errors import NotSignedIn
from ouzel.model.users import LOCAL_ID
from ouzel.services.secrets import Secrets
from ouzel.system.clock import Clock

KEY_PREFIX = "ouzel_"
"""What every API key begins with."""
_PREFIX_CHARS = len(KEY_PREFIX) + 8
_LOCAL_LIFE_S = 60.0
_ALGORITHM = "HS256"
_ACCESS, _LOCAL = "access", "local"


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says."""

    user_id: str
    session: str | None
    """Family of the refresh tokens; None: it is a local token."""


class Tokens:
    """
    Args:
        life_s: of an access token.
    """

    def __init__(self, keys: Secrets, clock: Clock, *, life_s: float) -> None:
        self._jwt_key = keys.key("jwt")
        self._csrf_key = keys.key("csrf")
        self._clock = clock
        self._life_s = life_s

    def access(self, user_id: str, session: str) -> tuple[str, datetime]:
        """A JWT, and when it expires."""
        until = self._clock.now() + timedelta(seconds=self._life_s)
        return self._encode({"sub": user_id, "sid": session, "aud": _ACCESS}, until), until

    def local(self) -> str:
        """For whoever can read `secret.key`: good for a minute, for everything."""
        return self._encode({"sub": LOCAL_ID, "aud": _LOCAL}, self._clock.now() + timedelta(seconds=_LOCAL_LIFE_S))

    def read(self, token: str) -> Claims:
        """Raises: NotSignedIn."""
        import jwt  # brings cryptography: only a daemon that somebody talks to needs it

        try:
            doc = jwt.decode(
                token, self._jwt_key, algorithms=[_ALGORITHM], audience=[_ACCESS, _LOCAL],
                options={"verify_exp": False, "verify_iat": False, "require": ["sub", "aud", "exp"]},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            raise NotSignedIn("this token was not given out here") from None
        if doc["exp"] <= self._clock.now().timestamp():
            raise NotSignedIn("this token has expired")
        if doc["aud"] == _LOCAL:
            return Claims(LOCAL_ID, None)
        return Claims(doc["sub"], doc["sid"])

    def csrf(self, session: str) -> str:
        """What a page of ours knows of its session, and a page of others does not."""
        return hmac.new(self._csrf_key, session.encode(), hashlib.sha256).hexdigest()[:32]

    def _encode(self, doc: dict[str, str], until: datetime) -> str:
        import jwt

        now = int(self._clock.now().timestamp())
        return jwt.encode({**doc, "iat": now, "exp": int(until.timestamp())}, self._jwt_key, algorithm=_ALGORITHM)


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def new_key() -> tuple[str, str]:
    """An API key, and its beginning, by which it is told from others."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    return key, key[:_PREFIX_CHARS]


def hash_of(token: str) -> str:
    """Under which a random token is kept: it cannot be guessed, so that a fast hash will do."""
    return hashlib.sha256(token.encode()).hexdigest()
