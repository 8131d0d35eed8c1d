"""The page: what `web/` was built into, as browsers are given it. An address that no route has comes here."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from ouzel.api.problems import problem
from ouzel.api.visit import visit_of
from ouzel.base.errors import NotFound

BUILT = Path(__file__).parents[1] / "ui"
"""Where `npm run build` in `web/` writes to."""
_INDEX = "index.html"
_BASE = '<base href="/" />'
_HASHED = "assets/"
"""Below it the name of each file has a digest of what is in it."""
_FOR_EVER = "public, max-age=31536000, immutable"
_OURS = ("api", "health", "metrics")
_PACKED = (("br", ".br"), ("gzip", ".gz"))
"""The best first."""
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'self'; script-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    "style-src 'self' 'unsafe-inline'; "  # components write their colours and sizes into the document
    "worker-src 'self' blob:; "  # players make theirs of text
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    media_type: str
    packed: tuple[tuple[str, Path], ...]
    """Encodings, and the files that have it so."""


@dataclass(frozen=True, slots=True)
class _Built:
    """What a build has left."""

    stamp: int
    """Time of its last change: nanoseconds."""
    index: str
    files: dict[str, _File]
    """By their paths. Nothing else is ever given out, however somebody spells an address."""


def setup_link(address: str, token: str) -> str:
    """What the daemon prints. The token stands behind `#`, which browsers send to nobody and no log has.

    Args:
        address: where browsers reach us, as `http://127.0.0.1:8521`.
        token: of `Auth.setup_token`.
    """
    return f"{address.rstrip('/')}/setup#{token}"


class Page:
    """ASGI, for the router's default.

    Args:
        folder: of a build. It may be missing, and may be built anew while the daemon runs.
    """

    def __init__(self, folder: Path = BUILT) -> None:
        self._folder = folder
        self._built: _Built | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        request = Request(scope)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        name = request.url.path.strip("/")
        first = name.partition("/")[0]
        if request.method != "GET" or first in _OURS:
            return _nothing(request)
        built = await anyio.to_thread.run_sync(self._look)
        if built is not None and (file := built.files.get(name)) is not None:
            return await _give(request, name, file)
        is_page = not name or "text/html" in request.headers.get("accept", "")
        if not is_page or name.startswith(_HASHED):
            return _nothing(request)
        if built is None:
            return HTMLResponse(_UNBUILT, headers={"Content-Security-Policy": _PLAIN_POLICY})
        return _index(request, built.index)

    def _look(self) -> _Built | None:
        index = self._folder / _INDEX
        try:
            stamp = index.stat().st_mtime_ns
            if self._built is None or self._built.stamp != stamp:
                self._built = _Built(stamp, index.read_text("utf-8"), _files(self._folder))
        except FileNotFoundError:
            self._built = None
        return self._built


def _files(folder: Path) -> dict[str, _File]:
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: _File(
            path,
            _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream",
            tuple((encoding, paths[name + end]) for encoding, end in _PACKED if name + end in paths),
        )
        for name, path in paths.items()
        if not name.endswith((".br", ".gz")) and not PurePosixPath(name).name.startswith(".") and name != _INDEX
    }


async def _give(request: Request, name: str, file: _File) -> Response:
    accepted = {each.partition(";")[0].strip() for each in request.headers.get("accept-encoding", "").split(",")}
    encoding, path = next((each for each in file.packed if each[0] in accepted), ("", file.path))
    body = await anyio.to_thread.run_sync(path.read_bytes)
    headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": encoding} if encoding else {})
    if name.startswith(_HASHED):
        return Response(body, headers=headers | {"Cache-Control": _FOR_EVER}, media_type=file.media_type)
    return _tagged(request, body, file.media_type, headers)


def _index(request: Request, text: str) -> Response:
    body = text.replace(_BASE, f'<base href="{visit_of(request).prefix}/" />', 1).encode()
    headers = {"Content-Security-Policy": _POLICY, "Vary": "Accept-Encoding"}
    return _tagged(request, body, "text/html; charset=utf-8", headers)


def _tagged(request: Request, body: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """What may be kept, and is asked about each time."""
    tag = f'W/"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
    headers |= {"Cache-Control": "no-cache", "ETag": tag}
    if tag in [each.strip() for each in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def _nothing(request: Request) -> Response:
    return problem(request, 404, NotFound.code, "there is nothing at this address")


_PLAIN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_UNBUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ouzel</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.6 system-ui,sans-serif;max-width:38rem;margin:12vh auto;padding:0 1rem}
</style>
<main>
<h1>Ouzel is running; its page has not been built</h1>
<p>It was installed from its sources without Node.js. In the folder of the sources, run</p>
<pre>scripts/page.py</pre>
<p>and load this again. The command line can do everything meanwhile: <code>ouzel users add NAME --role admin</code> makes the
first account, and <code>ouzel --help</code> lists the rest.</p>
<h1 lang="zh">Ouzel 正在运行，但网页尚未构建</h1>
<p lang="zh">它是在没有 Node.js 的情况下从源码安装的。请在源码目录中运行 <code>scripts/page.py</code>，然后重新加载。
在此期间可以使用命令行：<code>ouzel users add 用户名 --role admin</code> 创建第一个账号，
<code>ouzel --help</code> 列出其余命令。</p>
</main>
</html>
"""
