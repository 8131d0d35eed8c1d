"""Errors as problem documents (RFC 9457). The only place that knows which error is which status."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from ouzel.api.visit import visit_of
from ouzel.base import errors
from ouzel.base.errors import OuzelError, Retry, TooManyAttempts

MEDIA_TYPE = "application/problem+json"
_JSON = re.compile(r"application/([\w.-]+\+)?json\s*(;|$)", re.IGNORECASE)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

STATUSES: Mapping[type[OuzelError], int] = {
    OuzelError: 500,
    errors.InputError: 422,
    errors.SameChannel: 409,
    errors.OutputExists: 409,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.ChangedSince: 412,
    errors.BodyTooLarge: 413,
    errors.NotJson: 415,
    errors.OtherTus: 412,
    errors.ChecksumMismatch: 460,
    errors.NotAllowed: 403,
    errors.NotSignedIn: 401,
    errors.BadLogin: 401,
    TooManyAttempts: 429,
    errors.MediaError: 422,
    errors.NetworkError: 502,
    errors.Stalled: 504,
    errors.Refused: 422,
    errors.SiteError: 502,
    errors.ChannelGone: 404,
    errors.NotOnAir: 409,
    errors.StorageError: 503,
    errors.DiskFull: 507,
    errors.FileBusy: 409,
    errors.InUse: 409,
    errors.ToolError: 503,
    errors.TargetRefused: 502,
    errors.RemoteError: 502,
    errors.RemoteTaken: 409,
    errors.Damaged: 409,
}
"""Of a class that is not listed, that of its nearest ancestor."""

_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


class FieldError(BaseModel):
    """One thing that is wrong with a request."""

    pointer: str | None = Field(None, description="JSON pointer into the body", examples=["/labels/0"])
    parameter: str | None = Field(None, description="of the path, the query, or a header")
    position: int | None = Field(None, description="characters before the place in it that is wrong")
    code: str
    detail: str


class Problem(BaseModel):
    """RFC 9457. `code` is a promise; `detail` is for people, in English."""

    type: str = Field(examples=["urn:ouzel:error:not_found"])
    title: str
    status: int
    code: str
    detail: str
    retry: str = Field(description="whether asking again can help: never, soon, later")
    request_id: str
    errors: list[FieldError] | None = None
    existing: str | None = Field(None, description="id of what stands in the way, of a `conflict`")

    @classmethod
    def of(cls, status: int, code: str, detail: str, request_id: str, retry: Retry = Retry.NEVER, **more: Any) -> Self:
        """Args: more: `errors`, `existing`."""
        return cls(
            type=f"urn:ouzel:error:{code}", title=code.replace("_", " ").capitalize(), status=status, code=code,
            detail=detail, request_id=request_id, retry=retry.value, **more,
        )  # fmt: skip


def told_as_problem(description: str) -> dict[str, Any]:
    """An answer, for the description. By the name of its schema: of a model FastAPI would make a validator for each answer."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def schemas() -> dict[str, Any]:
    """What that name stands for, and what it is made of."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    made: dict[str, Any] = schema.pop("$defs") | {Problem.__name__: schema}
    return jsonable_encoder(made, exclude_none=True)  # as FastAPI does with all others


def status_of(error: type[OuzelError]) -> int:
    return next(STATUSES[each] for each in error.__mro__ if each in STATUSES)


def problems(*wanted: type[OuzelError]) -> dict[int | str, dict[str, Any]]:
    """What a route may answer with, for its description."""
    told: dict[int | str, dict[str, Any]] = {}
    for error in wanted:
        entry = told.setdefault(status_of(error), told_as_problem(""))
        entry["description"] = " or ".join(filter(None, [entry["description"], f"`{error.code}`"]))
    return told


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    retry: Retry = Retry.NEVER,
    fields: Sequence[FieldError] | None = None,
    existing: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    visit = visit_of(request)
    visit.code = code
    doc = Problem.of(
        status, code, detail, visit.client.request_id, retry, errors=list(fields) if fields else None, existing=existing,
    )  # fmt: skip
    return JSONResponse(doc.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def signed_in_problems() -> dict[int | str, dict[str, Any]]:
    """For the router of a noun that nobody sees without signing in."""
    return problems(errors.NotSignedIn, errors.NotAllowed, errors.CrossSite)


async def ours(request: Request, exc: Exception) -> Response:
    """Of any error that was raised on purpose."""
    error = cast("OuzelError", exc)
    status, headers = status_of(type(error)), dict[str, str]()
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    existing, fields = error.context.get("existing"), _fields(error)
    return problem(
        request, status, error.code, error.message, retry=error.retry, headers=headers,
        fields=fields,
        existing=str(existing) if existing else None,
    )  # fmt: skip


def _fields(error: OuzelError) -> list[FieldError] | None:
    """Where in the request it is, if it says so."""
    pointer, parameter = error.context.get("pointer"), error.context.get("parameter")
    position = cast("int | None", error.context.get("position"))
    if not pointer and not parameter:
        return None
    where = {"pointer": str(pointer) if pointer else None, "parameter": str(parameter) if parameter else None}
    return [FieldError(**where, position=position, code=error.code, detail=error.message)]


async def _of_http(request: Request, exc: Exception) -> Response:
    error = cast("HTTPException", exc)
    if error.status_code == 400:  # of FastAPI, for a body that is not even text, or nested without end
        wrong = FieldError(
            pointer="", parameter=None, position=None, code="json_invalid", detail="this is no JSON in UTF-8"
        )
        return problem(request, 422, errors.Invalid.code, f"body: {wrong.detail}", fields=[wrong])
    code = _HTTP_CODES.get(error.status_code, "bad_input")
    detail = "there is nothing at this address" if error.status_code == 404 else str(error.detail)
    headers = {"Allow": ", ".join(_allowed(request))} if error.status_code == 405 else error.headers
    return problem(request, error.status_code, code, detail, headers=headers)


def _allowed(request: Request) -> list[str]:
    """What may be done with this address. What is raised says only that of one of its routes."""
    routes = cast("FastAPI", request.app).routes
    scopes = [{**request.scope, "method": method} for method in _METHODS]
    allowed = [each["method"] for each in scopes if any(route.matches(each)[0] is Match.FULL for route in routes)]
    return [*allowed, "HEAD"] if "GET" in allowed else allowed


async def _of_fields(request: Request, exc: Exception) -> Response:
    """Without what was given: it may be a secret."""
    if any(tuple(each["loc"]) == ("body",) for each in cast("RequestValidationError", exc).errors()):
        given = request.headers.get("content-type", "")
        if await request.body() and not _JSON.match(given):
            words = f"the body is {given.partition(';')[0][:60] or 'of no type that is told'}: send application/json"
            return problem(request, status_of(errors.NotJson), errors.NotJson.code, words)
    wrong = [_field_error(each) for each in cast("RequestValidationError", exc).errors()]
    detail = "; ".join(f"{each.pointer or each.parameter or 'body'}: {each.detail}" for each in wrong[:3])
    return problem(request, 422, errors.Invalid.code, detail, fields=wrong)


def _field_error(error: Mapping[str, Any]) -> FieldError:
    where, *path = (str(each) for each in error["loc"])
    if where == "body":
        steps = [] if error["type"] == "json_invalid" else path
        pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
        return FieldError(pointer=pointer, parameter=None, position=None, code=error["type"], detail=error["msg"])
    parameter = ".".join(path)
    return FieldError(pointer=None, parameter=parameter, position=None, code=error["type"], detail=error["msg"])


async def _of_bug(request: Request, exc: Exception) -> Response:  # noqa: ARG001 - it is logged with its traceback
    """It is raised again after this, so that whoever runs the server sees it. The frame does not see this answer."""
    headers = {"X-Request-Id": visit_of(request).client.request_id, "Cache-Control": "no-store"}
    words = "something went wrong in Ouzel itself; its log says more"
    return problem(request, 500, OuzelError.code, words, headers=headers)


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(OuzelError, ours)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_fields)
    app.add_exception_handler(Exception, _of_bug)
