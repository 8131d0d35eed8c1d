"""Who may do what. Everything here is pure: who somebody is, is found out by `services.auth`."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What an API key may be used for. Each includes those before it."""

    READ = "read"
    WRITE = "write"  # channels, recordings, jobs: what one watches and keeps
    ADMIN = "admin"  # accounts, settings for all, what is deleted by rule


class Role(StrEnum):
    """What an account may do. Each may do what those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


class Via(StrEnum):
    """How somebody proved who they are."""

    COOKIE = "cookie"  # a browser
    BEARER = "bearer"  # an access token in a header
    KEY = "key"  # an API key
    SIGNED = "signed"  # an address that was signed for a player
    LOCAL = "local"  # whoever can read `secret.key`: the command line on the daemon's machine


_SCOPES = tuple(Scope)
_MOST = {Role.VIEWER: Scope.READ, Role.EDITOR: Scope.WRITE, Role.ADMIN: Scope.ADMIN}
EVERYTHING = frozenset(Scope)
LOCAL_ID = "local"
"""In place of a user's id, for `Via.LOCAL`."""

_TO_ALL = ("daemon.", "storage.")
_TO_ADMINS = ("user.",)


def role_may(role: Role, wanted: Scope) -> bool:
    return _SCOPES.index(_MOST[role]) >= _SCOPES.index(wanted)


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever makes a request."""

    user_id: str
    role: Role
    labels: frozenset[str] = frozenset()
    """Grants of the account: empty, or only channels with one of them. An administrator's are not looked at."""
    scopes: frozenset[Scope] = EVERYTHING
    via: Via = Via.BEARER
    name: str = ""
    key_id: str | None = None
    key_labels: frozenset[str] = frozenset()
    """Grants of the API key: those of the account count as well."""
    session: str | None = None
    """Family of refresh tokens that an access token came from."""

    def may(self, wanted: Scope) -> bool:
        """Whether both the role and, with a key, its scopes allow it."""
        own = max((_SCOPES.index(each) for each in self.scopes), default=-1)
        return own >= _SCOPES.index(wanted) and role_may(self.role, wanted)

    def may_give_access(self) -> bool:
        """Make keys, accounts, passwords: for people, never for keys, so that one that leaked gives no more than itself."""
        return self.via not in (Via.KEY, Via.SIGNED)

    @property
    def grants(self) -> tuple[frozenset[str], ...]:
        """Sets of labels, of each of which a channel must have one to be seen. None: every channel is."""
        own = frozenset[str]() if self.role is Role.ADMIN else self.labels
        return tuple(each for each in (own, self.key_labels) if each)

    def sees(self, labels: Collection[str]) -> bool:
        """A channel with these labels, and all that belongs to it."""
        return all(not grant.isdisjoint(labels) for grant in self.grants)

    def hears(self, code: str, subject: str, labels: Collection[str] | None) -> bool:
        """An event.

        Args:
            labels: of the channel that it belongs to; None: it belongs to none.
        """
        if code.startswith(_TO_ADMINS):
            return self.may(Scope.ADMIN) or subject == self.user_id
        if labels is not None:
            return self.sees(labels)
        return not self.grants or code.startswith(_TO_ALL)

    @property
    def by(self) -> str:
        """As what is written stands in rows (`by`): a user's id, or `key:ID`."""
        return f"key:{self.key_id}" if self.key_id else self.user_id


@dataclass(frozen=True, slots=True)
class User:
    """An account, without its password."""

    id: str
    name: str
    role: Role
    labels: frozenset[str]
    disabled: bool
    language: str | None
    """`en`, `zh`; None: as the browser says."""
    revision: int
    created_at: datetime
    signed_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Without its secret, which nobody has but who made it."""

    id: str
    name: str
    prefix: str
    """The beginning of the key: to tell one from another."""
    user_id: str
    scopes: frozenset[Scope]
    labels: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what."""

    number: int
    at: datetime
    by: str
    """As `Principal.by`; empty: nobody knows."""
    name: str
    """As the account was called; of a failed sign-in the name that was given."""
    via: str
    what: str
    """Id of the operation, or `auth.…`."""
    subject: str
    outcome: str
    """`ok`, or the code of an error."""
    address: str
    request_id: str


def name_key(name: str) -> str:
    """Two names with the same key are one: neither letter case nor the width of characters counts."""
    return unicodedata.normalize("NFKC", name).casefold()


_SILLY = (
    "password", "passw0rd", "correcthorse", "123456789", "987654321", "qwertyuiop", "asdfghjkl", "1q2w3e4r", "iloveyou",
    "letmein", "administrator", "adminadmin", "changeme", "ouzelouzel", "woaini", "5201314",
)  # fmt: skip
_FEWEST_KINDS = 5  # different characters
_FEWEST_BESIDES = 6  # characters, besides the name or a word that everybody tries


def weakness(password: str, name: str, *, at_least: int) -> str | None:
    """Why it is none to be accepted, as a sentence; None: it is."""
    plain, own = name_key(password), name_key(name)
    if len(password) < at_least:
        return f"it has {len(password)} characters; {at_least} are needed"
    if len(password) > 256:
        return "it has more than 256 characters"
    if len(set(plain)) < _FEWEST_KINDS:
        return f"it is made of fewer than {_FEWEST_KINDS} different characters"
    if own and len(plain.replace(own, "")) < _FEWEST_BESIDES:
        return "it is little more than the name of the account"
    if any(len(plain.replace(each, "")) < _FEWEST_BESIDES for each in _SILLY if each in plain):
        return "it is one of those that are tried first"
    return None
