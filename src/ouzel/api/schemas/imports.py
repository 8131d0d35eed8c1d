"""Files that come into the library by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator

from ouzel.api.schemas.base import In, Instant, Out
from ouzel.model.imports import Upload
from ouzel.services.video_imports import Candidate

_SHOWN = 200


class ImportIn(In):
    path: str = Field(min_length=1, max_length=4000, description="a file, or a folder, on the daemon's machine")
    dry_run: bool = Field(False, description="only tell what there is")

    @field_validator("path")
    @classmethod
    def _whole(cls, path: str) -> str:
        if "\0" in path or not Path(path).is_absolute():
            raise ValueError("a whole path, from / on")
        return path


class ImportedOut(Out):
    job_id: str | None = Field(description="which takes them in; null for a dry run")
    files: int = Field(description="that are new")
    bytes: int
    known: int = Field(description="that are in the library already")
    first: list[str] = Field(description=f"paths of the first {_SHOWN}")

    @classmethod
    def told(cls, new: list[Candidate], known: int, job_id: str | None) -> Self:
        size = sum(each.bytes for each in new)
        return cls(
            job_id=job_id, files=len(new), bytes=size, known=known, first=[str(each.path) for each in new[:_SHOWN]]
        )


class UploadOut(Out):
    id: str
    name: str
    length: int = Field(description="bytes, when it is whole")
    received: int
    root: str
    created_at: Instant
    video_id: str | None = Field(description="the video that it has become")

    @classmethod
    def of(cls, upload: Upload) -> Self:
        known = {name: getattr(upload, name) for name in cls.model_fields if name != "video_id"}
        return cls.model_validate(known | {"video_id": upload.import_id})
