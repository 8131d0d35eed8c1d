"""Programs and libraries that are called: ffmpeg, the JavaScript runtime, those that resolve pages."""

from __future__ import annotations

from ouzel.base.errors import OuzelError, ToolError
from ouzel.daemon.checkup.result import Result, error, ok, warning
from ouzel.platforms.javascript import deno
from ouzel.platforms.upgrade import Upgrades, default_folder
from ouzel.system.ffmpeg import FfmpegFinder


async def check_ffmpeg(finder: FfmpegFinder) -> Result:
    """It is started, and has to write MPEG-TS to a pipe."""
    try:
        found = await finder.find()
    except ToolError as exc:
        return error("ffmpeg_missing", why=str(exc))
    about = {"path": found.path, "version": found.version}
    if found.enhanced_flv:
        return ok("ffmpeg", **about)
    try:
        other = await finder.find({"enhanced_flv"})
    except ToolError:
        return warning("ffmpeg_old", **about)
    return ok("ffmpeg_two", **about, newer=other.path)


def check_javascript() -> Result:
    runtime = deno()
    return ok("javascript", path=runtime) if runtime else warning("javascript_missing")


def check_resolvers() -> Result:
    """Blocking."""
    try:
        versions = Upgrades(default_folder()).versions()
    except (OuzelError, OSError) as exc:
        return error("resolvers_broken", why=str(exc))
    return ok("resolvers", versions=", ".join(f"{each.library} {each.used}" for each in versions))
