"""Recordings that are taken into the library."""

from __future__ import annotations

from pydantic import Field

from ouzel.api.schemas.base import In, Out


class AdoptIn(In):
    folder: str = Field(
        min_length=2,
        max_length=4096,
        examples=["/srv/downloads"],
        description="an absolute path on the daemon's machine",
    )
    names: list[str] = Field(
        default_factory=list[str], max_length=10_000, description="of channels: what begins with one belongs to it"
    )


class AdoptedOut(Out):
    recordings: int = Field(description="that were taken")
    known: int = Field(description="that were there already")
    left: int = Field(description="files that are no media of a recorder")


class PutBackIn(In):
    text: str = Field(
        max_length=1_000_000,
        description="of an export; what it has beside rules, accounts, targets and routes is passed over",
    )


class PutBackOut(Out):
    locked: list[str] = Field(
        description="accounts that came without a password: nobody can sign in with them before they are given one"
    )
