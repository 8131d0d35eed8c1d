"""Routes come into the app with the first request for them: a third of what the API weighs are validators of what nobody asks."""

from __future__ import annotations

from importlib import import_module
from typing import cast

import anyio
import anyio.to_thread
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from ouzel.api.routes import NOUNS, word_of


class Late:
    """The innermost middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._there = set[str]()
        self._turn = anyio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            word = word_of(scope["path"])
            for module, words in NOUNS.items():
                if word in words and module not in self._there:
                    await self._bring(scope["app"], module)
        await self._app(scope, receive, send)

    async def _bring(self, app: FastAPI, module: str) -> None:
        async with self._turn:
            if module not in self._there:
                app.include_router(await anyio.to_thread.run_sync(router_of, module))
                self._there.add(module)


def router_of(module: str) -> APIRouter:
    """Blocking, the first time. Args: module: a key of `NOUNS`."""
    return cast("APIRouter", import_module(f"ouzel.api.{module}").router)
