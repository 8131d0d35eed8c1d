"""The app, made of its routes and its frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from ouzel import __version__
from ouzel.api.auth import CanRead
from ouzel.api.description import DESCRIBED, describe
from ouzel.api.etags import Tagged
from ouzel.api.frame import Frame
from ouzel.api.late import Late
from ouzel.api.page import BUILT, Page
from ouzel.api.problems import add_handlers
from ouzel.api.services import Services

_DESCRIPTION = (
    "Watches live channels, records them, keeps what was recorded. docs/reference/api.md says what holds everywhere."
)


def make_app(services: Services, page: Path = BUILT) -> FastAPI:
    """Nothing is started, and nothing global is touched: many may be made.

    Args: page: folder of what `web/` was built into.

    Run it without uvicorn's own `proxy_headers`: whom to believe is decided in `visit`.
    """
    app = FastAPI(
        title="Ouzel", version=__version__, description=_DESCRIPTION, docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False, **DESCRIBED,
        middleware=[
            Middleware(Frame, services),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),  # it leaves media and event streams alone
            Middleware(Tagged),
            Middleware(Late),
        ],
    )  # fmt: skip
    app.state.services = services
    add_handlers(app)
    app.router.default = Page(page)
    app.add_api_route("/api/openapi.json", _describe(app), name="show_description", include_in_schema=False)
    return app


def _describe(app: FastAPI) -> Callable[..., Awaitable[Any]]:
    async def show_description(who: CanRead) -> dict[str, Any]:  # noqa: ARG001
        return await anyio.to_thread.run_sync(describe, app)

    return show_description
