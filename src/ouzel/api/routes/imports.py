"""Files become videos: those on the daemon's machine where they lie, and those that a browser sends (tus 1.0.0)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from ouzel.api.auth import EditsAll, IsAdmin
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.imports import ImportedOut, ImportIn, UploadOut
from ouzel.api.services import Served, Services
from ouzel.base.errors import (
    BadOption,
    BodyTooLarge,
    ChecksumMismatch,
    Conflict,
    DiskFull,
    Invalid,
    MediaError,
    NotFound,
    OtherTus,
)
from ouzel.model.imports import Upload
from ouzel.model.users import Principal, Scope
from ouzel.services.uploads import CHECKSUMS, Digest

router = APIRouter(prefix="/api", tags=["library"], responses=signed_in_problems())
TUS = "1.0.0"
_PIECES = "application/offset+octet-stream"
_MOST = 1 << 44
"""Bytes of one file: 16 TiB."""
_ABLE = {
    "Tus-Version": TUS,
    "Tus-Extension": "creation,creation-with-upload,termination,checksum",
    "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    "Tus-Max-Size": str(_MOST),
}
_BYTES = {"requestBody": {"content": {_PIECES: {"schema": {"type": "string", "format": "binary"}}}}}
_Tus = Annotated[str, Header(alias="Tus-Resumable", description=TUS)]
_Checksum = Annotated[str | None, Header(alias="Upload-Checksum", description="name of the sum, a blank, base64")]


@router.post("/imports", status_code=202, responses=problems(Invalid))
async def import_files(body: ImportIn, services: Served, who: IsAdmin) -> ImportedOut:
    """A file, or all that is media in a folder and below it. It stays where it is; what goes wrong with one stops no other."""
    path = Path(body.path)
    new, known = await services.imports.look(path)
    job = None if body.dry_run else await services.imports.put(path, by=who.by)
    return ImportedOut.told([*new], known, job.id if job else None)


@router.options("/uploads", include_in_schema=False)
async def describe_uploads() -> Response:
    """What of tus is spoken here."""
    return Response(status_code=204, headers={"Tus-Resumable": TUS, **_ABLE})


@router.post(
    "/uploads", status_code=201, openapi_extra=_BYTES, responses=problems(BadOption, BodyTooLarge, DiskFull, OtherTus)
)
async def begin_upload(
    request: Request,
    services: Served,
    who: EditsAll,
    tus: _Tus,
    length: Annotated[int, Header(alias="Upload-Length", ge=0, description="bytes of the file")],
    metadata: Annotated[str, Header(alias="Upload-Metadata", max_length=4000, description="`filename`, `root`")] = "",
    checksum: _Checksum = None,
) -> Response:
    """A file is going to come. Its `Location` takes the bytes."""
    _same(tus)
    if length > _MOST:
        raise BodyTooLarge(f"a file has {_MOST} bytes at most")
    told = _metadata(metadata)
    upload = await services.uploads.begin(
        told.get("filename", told.get("name", "")), length, root=told.get("root", ""), by=who.by, user_id=who.user_id
    )
    if request.headers.get("content-type") == _PIECES:
        upload = await services.uploads.append(upload.id, 0, request.stream(), _digest(checksum))
    return _answer(upload, 201, Location=f"{request.url.path}/{upload.id}")


@router.get("/uploads/{upload_id}", responses=problems(NotFound))
async def show_upload(upload_id: Id, services: Served, who: EditsAll, response: Response) -> UploadOut:
    """How much has come. `HEAD` tells it in headers alone."""
    upload = await _own(services, who, upload_id)
    response.headers.update({**_headers(upload), "Cache-Control": "no-store"})
    return UploadOut.of(upload)


@router.patch(
    "/uploads/{upload_id}",
    status_code=204,
    openapi_extra=_BYTES,
    responses=problems(NotFound, Conflict, BodyTooLarge, ChecksumMismatch, DiskFull, MediaError, OtherTus),
)
async def append_upload(
    upload_id: Id,
    request: Request,
    services: Served,
    who: EditsAll,
    tus: _Tus,
    offset: Annotated[int, Header(alias="Upload-Offset", ge=0, description="where it goes on")],
    content_type: Annotated[str, Header(description=_PIECES)],
    checksum: _Checksum = None,
) -> Response:
    """The next bytes. With the last of them it becomes a video: `video_id`."""
    _same(tus)
    if content_type != _PIECES:
        raise BadOption(f"the bytes of an upload come as {_PIECES}", pointer="/content-type")
    await _own(services, who, upload_id)
    upload = await services.uploads.append(upload_id, offset, request.stream(), _digest(checksum))
    return _answer(upload, 204)


@router.delete("/uploads/{upload_id}", status_code=204, responses=problems(NotFound))
async def cancel_upload(upload_id: Id, services: Served, who: EditsAll) -> Response:
    """What has come of it goes. What is a video already stays."""
    await _own(services, who, upload_id)
    await services.uploads.cancel(upload_id)
    return Response(status_code=204, headers={"Tus-Resumable": TUS})


async def _own(services: Services, who: Principal, upload_id: str) -> Upload:
    """Raises: NotFound: also where it is somebody else's."""
    upload = await services.uploads.get(upload_id)
    if upload.user_id != who.user_id and not who.may(Scope.ADMIN):
        raise NotFound(f"there is no upload {upload_id}")
    return upload


def _same(tus: str) -> None:
    if tus != TUS:
        raise OtherTus(f"Tus-Resumable is {tus[:20]}, and {TUS} is spoken here")


def _metadata(text: str) -> Mapping[str, str]:
    """Raises: BadOption."""
    found: dict[str, str] = {}
    for pair in filter(None, (each.strip() for each in text.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise BadOption(f"{key[:40]} of Upload-Metadata is no base64 of UTF-8") from None
    return found


def _digest(text: str | None) -> Digest | None:
    """Raises: BadOption."""
    if text is None:
        return None
    name, _, value = text.partition(" ")
    try:
        told = base64.b64decode(value, validate=True)
    except binascii.Error:
        told = b""
    if name not in CHECKSUMS or not told:
        raise BadOption(f"Upload-Checksum is the name of a sum ({', '.join(CHECKSUMS)}), a blank, and base64")
    return Digest(name, told)


def _headers(upload: Upload) -> dict[str, str]:
    video = {"Ouzel-Video": upload.import_id} if upload.import_id else {}
    return {
        "Tus-Resumable": TUS, "Upload-Offset": str(upload.received), "Upload-Length": str(upload.length), **video,
    }  # fmt: skip


def _answer(upload: Upload, status: int, **headers: str) -> Response:
    return Response(status_code=status, headers={**_headers(upload), **headers})
