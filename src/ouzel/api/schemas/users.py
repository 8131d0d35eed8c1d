"""Accounts, keys, and what was done with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import AwareDatetime, Field

from ouzel.api.schemas.base import Id, In, Label, Out, Patch, left_out
from ouzel.model.users import ApiKey, AuditLine, Principal, Role, Scope, User, Via
from ouzel.services.users import NAME_CHARS, NewKey, NewUser, checked_labels

_PASSWORD = Field(min_length=1, max_length=256, description="12 characters at least; `[auth] password_min`")
_NAME = Field(min_length=1, max_length=NAME_CHARS)


class UserOut(Out):
    id: str
    name: str
    role: Role
    labels: list[str] = Field(description="only channels with one of these; empty: all of them")
    disabled: bool
    language: str | None
    created_at: datetime
    signed_in_at: datetime | None

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(
            id=user.id, name=user.name, role=user.role, labels=sorted(user.labels), disabled=user.disabled,
            language=user.language, created_at=user.created_at, signed_in_at=user.signed_in_at,
        )  # fmt: skip


class UserIn(In):
    name: str = _NAME
    password: str = _PASSWORD
    role: Role = Role.VIEWER
    labels: list[Label] = Field(default_factory=list[str], max_length=100)
    language: Literal["en", "zh"] | None = None

    def wanted(self) -> NewUser:
        return NewUser(self.name, self.password, self.role, checked_labels(self.labels), self.language)


class UserPatch(Patch):
    name: str = left_out(str, min_length=1, max_length=NAME_CHARS)
    password: str = left_out(
        str, min_length=1, max_length=256, description="a new one: all sessions of the account end"
    )
    role: Role = left_out(lambda: Role.VIEWER)
    labels: list[Label] = left_out(list[str], max_length=100)
    disabled: bool = left_out(bool, description="true: it cannot sign in, nor can its keys be used, from now on")
    language: Literal["en", "zh"] | None = left_out(lambda: None)


class MeOut(Out):
    """Whoever asks, and what they may do."""

    user: UserOut | None = Field(description="null: the command line on the daemon's machine")
    via: Via
    role: Role
    scopes: list[Scope]
    labels: list[list[str]] = Field(description="lists, of each of which a channel must have one label to be seen")

    @classmethod
    def of_principal(cls, who: Principal, user: User | None) -> Self:
        return cls(
            user=UserOut.of(user) if user else None, via=who.via, role=who.role,
            scopes=[each for each in Scope if who.may(each)], labels=[sorted(grant) for grant in who.grants],
        )  # fmt: skip


class KeyOut(Out):
    id: str
    name: str
    prefix: str = Field(description="how the key begins")
    user_id: str
    scopes: list[Scope]
    labels: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None = Field(description="to the minute")

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        return cls(**_key_fields(key))


class NewKeyOut(KeyOut):
    key: str = Field(description="shown this once: only its hash is kept")

    @classmethod
    def with_secret(cls, key: ApiKey, secret: str) -> Self:
        return cls(**_key_fields(key), key=secret)


class KeyIn(In):
    name: str = _NAME
    scopes: list[Scope] = Field(default_factory=lambda: [Scope.READ], min_length=1, max_length=len(Scope))
    labels: list[Label] = Field(default_factory=list[str], max_length=100)
    expires_at: AwareDatetime | None = None
    user_id: Id | None = Field(
        None, description="whose it is; of others only for the command line on the daemon's machine"
    )

    def wanted(self) -> NewKey:
        labels = checked_labels(self.labels)
        return NewKey(self.name, frozenset(self.scopes), labels, self.expires_at, self.user_id)


class AuditOut(Out):
    number: int
    at: datetime
    by: str = Field(description="id of an account, `key:ID`, `local`; empty: nobody knows")
    name: str
    via: str
    what: str = Field(description="id of the operation, or `auth.…`")
    subject: str
    outcome: str = Field(description="`ok`, or the code of an error")
    address: str
    request_id: str

    @classmethod
    def of(cls, line: AuditLine) -> Self:
        return cls.model_validate(line)


def _key_fields(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id, "name": key.name, "prefix": key.prefix, "user_id": key.user_id,
        "scopes": [each for each in Scope if each in key.scopes], "labels": sorted(key.labels),
        "created_at": key.created_at, "expires_at": key.expires_at, "used_at": key.used_at,
    }  # fmt: skip
