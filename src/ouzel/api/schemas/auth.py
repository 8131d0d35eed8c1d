"""Signing in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field

from ouzel.api.schemas.base import In, Out
from ouzel.api.schemas.users import UserOut
from ouzel.services.auth import SignedIn

_Tokens: TypeAlias = Annotated[
    Literal["cookies", "body"],
    Field(description="how the tokens come: in cookies for browsers, in the body for other programs"),
]


class LoginIn(In):
    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=1024)
    tokens: _Tokens = "cookies"


class SetupIn(In):
    token: str = Field(min_length=1, max_length=200, description="of the link that the daemon printed")
    name: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256)
    tokens: _Tokens = "cookies"


class RefreshIn(In):
    refresh_token: str = Field(min_length=1, max_length=200)


class PasswordIn(In):
    old: str = Field(min_length=1, max_length=1024)
    new: str = Field(min_length=1, max_length=256)


class SessionOut(Out):
    user: UserOut
    access_until: datetime
    refresh_until: datetime
    csrf_token: str = Field(description="for `X-CSRF-Token`, where a client sends neither Origin nor Sec-Fetch-Site")
    access_token: str | None = Field(None, description="for `Authorization: Bearer`, with `tokens: body`")
    refresh_token: str | None = Field(None, description="good for one use, with `tokens: body`")

    @classmethod
    def of(cls, got: SignedIn, *, with_tokens: bool) -> Self:
        return cls(
            user=UserOut.of(got.user), access_until=got.access_until, refresh_until=got.refresh_until,
            csrf_token=got.csrf, access_token=got.access if with_tokens else None,
            refresh_token=got.refresh if with_tokens else None,
        )  # fmt: skip
