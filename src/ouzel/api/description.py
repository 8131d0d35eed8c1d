"""The API's description in OpenAPI 3.1: what FastAPI makes of the routes, with what it does not know of us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from ouzel.api.late import router_of
from ouzel.api.problems import schemas, told_as_problem
from ouzel.api.routes import NOUNS

_MERGE_PATCH = "application/merge-patch+json"
_TAGS = {"ETag": {"schema": {"type": "string"}, "description": "for `If-None-Match`, and `If-Match` of an edit"}}


def _operation_id(route: APIRoute) -> str:
    return route.name


_ELSE: dict[int | str, dict[str, Any]] = {"default": told_as_problem("any other error")}
DESCRIBED: dict[str, Any] = {"generate_unique_id_function": _operation_id, "responses": _ELSE}
"""What is said of all routes."""


def describe(app: FastAPI) -> dict[str, Any]:
    """Of all routes, whatever the app has by now. Made at the first call, and kept by the app. Blocking."""
    if app.openapi_schema is None:
        whole = APIRouter()
        for module in NOUNS:
            whole.include_router(router_of(module), **DESCRIBED)
        doc = get_openapi(title=app.title, version=app.version, description=app.description, routes=whole.routes)
        doc["components"]["schemas"] |= schemas()
        for method, operation in _operations(doc):
            _complete(method, operation)
        app.openapi_schema = doc
    return app.openapi_schema


def _operations(doc: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in cast("dict[str, dict[str, dict[str, Any]]]", doc["paths"]).values():
        yield from path.items()


def _complete(method: str, operation: dict[str, Any]) -> None:
    for status, response in [*cast("dict[str, dict[str, Any]]", operation["responses"]).items()]:
        if method == "get" and status.startswith("2") and "application/json" in response.get("content", {}):
            response["headers"] = _TAGS
            operation["responses"] |= {"304": {"description": "it is as `If-None-Match` says"}}
    if method == "patch":
        content = operation["requestBody"]["content"]
        if "application/json" in content:
            content[_MERGE_PATCH] = content["application/json"]
