"""The app, made of its routes and its frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from ouzel import __version__
from ouzel.api.auth import CanRead
from ouzel.api.description import describe
from ouzel.api.etags import Tagged
from ouzel.api.frame import Frame
from ouzel.api.page import BUILT, Page
from ouzel.api.problems import add_handlers, told_as_problem
from ouzel.api.routes import ALL
from ouzel.api.services import Services

_DESCRIPTION = (
    "Watches live channels, records them, keeps what was recorded. docs/reference/api.md says what holds everywhere."
)
_ELSE: dict[int | str, dict[str, Any]] = {"default": told_as_problem("any other error")}


def make_app(services: Services, page: Path = BUILT) -> FastAPI:
    """Nothing is started, and nothing global is touched: many may be made.

    Args: page: folder of what `web/` was built into.

    Run it without uvicorn's own `proxy_headers`: whom to believe is decided in `visit`.
    """
    app = FastAPI(
        title="Ouzel", version=__version__, description=_DESCRIPTION, docs_url=None, redoc_url=None, openapi_url=None,
        generate_unique_id_function=_operation_id, responses=_ELSE, redirect_slashes=False,
        middleware=[
            Middleware(Frame, services),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),  # it leaves media and event streams alone
            Middleware(Tagged),
        ],
    )  # fmt: skip
    app.state.services = services
    add_handlers(app)
    for router in ALL:
        app.include_router(router)
    app.router.default = Page(page)
    app.add_api_route("/api/openapi.json", _describe(app), name="show_description", include_in_schema=False)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _describe(app: FastAPI) -> Callable[..., Awaitable[Any]]:
    async def show_description(who: CanRead) -> dict[str, Any]:  # noqa: ARG001
        return describe(app)

    return show_description
