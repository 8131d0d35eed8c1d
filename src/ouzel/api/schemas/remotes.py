"""Remotes and copies."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from ouzel.api.schemas.base import In, Out, Patch, left_out
from ouzel.model.remotes import Remote
from ouzel.store.named import Named

_SETTINGS = "by the names of `GET /api/remote-kinds`; null takes one away; `•••`: as it was"


class RemoteIn(In):
    name: str = Field(min_length=1, max_length=60, examples=["nas"])
    kind: str = Field(max_length=40, examples=["s3"])
    settings: dict[str, Any] = Field(
        description=_SETTINGS, examples=[{"bucket": "live", "access_key": "…", "secret_key": "…"}]
    )

    def doc(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"name"})


class RemotePatch(Patch):
    settings: dict[str, Any] = left_out(dict[str, Any], description=_SETTINGS)


class RemoteOut(Out):
    name: str
    kind: str
    settings: dict[str, Any] = Field(description="secrets are hidden")
    revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, named: Named[Remote]) -> Self:
        return cls(
            name=named.name, revision=named.revision, created_at=named.created_at, updated_at=named.updated_at,
            **named.spec.shown(),
        )  # fmt: skip


class RemotesOut(Out):
    items: list[RemoteOut]


class RemoteTestedOut(Out):
    works: bool = Field(description="a small file was written, read and removed")
    code: str | None = Field(description="of the error")
    why: str | None


class CopyOut(Out):
    id: str
    remote: str = Field(description="its name; it may be gone")
    key: str = Field(description="the path there")
    file_id: str | None = Field(description="of the file, or of the one that it belongs to; null: that is here no more")
    path: str = Field(description="of the file, from its storage root on")
    bytes: int
    etag: str | None = Field(description="as the remote tells it")
    digest: str | None = Field(
        description="`md5:…` and the like, as both sides say; null: only the size was compared",
        examples=["md5:5d41402a…"],
    )
    copied_at: datetime
    verified_at: datetime = Field(description="when the remote told this last")


class CopiesOut(Out):
    items: list[CopyOut]
