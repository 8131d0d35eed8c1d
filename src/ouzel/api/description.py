"""The API's description in OpenAPI 3.1: what FastAPI makes of the routes, with what it does not know of us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from fastapi import FastAPI

from ouzel.api.problems import schemas

_MERGE_PATCH = "application/merge-patch+json"
_TAGS = {"ETag": {"schema": {"type": "string"}, "description": "for `If-None-Match`, and `If-Match` of an edit"}}


def describe(app: FastAPI) -> dict[str, Any]:
    """Made at the first call, and kept by the app."""
    first = app.openapi_schema is None
    doc = app.openapi()
    if first:
        doc["components"]["schemas"] |= schemas()
        for method, operation in _operations(doc):
            _complete(method, operation)
    return doc


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
