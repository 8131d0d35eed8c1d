"""`ouzel resolve` and addresses that are no pages: what is there, or which state it is that nobody knows, with the evidence."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme
from tests.command import Done, ouzel
from tests.e2e import senders
from tests.e2e.processes import needs_proc
from tests.e2e.scenes import until

from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.origin import LiveOrigin
from ouzel.testing.rtsp import RtspServer, require_gstreamer

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def live_clip(clip_folder: Path) -> Clip:
    return make_clip(clip_folder, seconds=12, size="160x90", gop_s=1, bframes=0)


def resolve(url: str, cwd: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = ouzel(url, "--json", *words, cwd=cwd, command="resolve")
    (doc,) = done.events
    return done.code, doc


async def beside_loop(call: Callable[[], Any]) -> Any:
    return await anyio.to_thread.run_sync(call)


def stream_of(doc: dict[str, Any]) -> dict[str, Any]:
    return doc["answer"]["streams"][0]


# -- through ffmpeg --------------------------------------------------------------------------------------------------------


def test_an_rtmp_server_is_looked_at(live_clip: Clip, tmp_path: Path) -> None:
    port = senders.free_port()
    with senders.rtmp(live_clip, port):
        code, doc = eventually(f"rtmp://127.0.0.1:{port}/live/show", tmp_path)
    assert (code, doc["state"], doc["platform"]) == (0, "live", "direct")
    stream = stream_of(doc)
    assert (stream["protocol"], stream["height"], stream["codec"]) == ("ffmpeg", 90, "h264")
    assert [each["method"] for each in doc["evidence"]] == ["OPEN"]


def test_an_srt_server_is_looked_at_and_its_passphrase_is_shown_to_nobody(live_clip: Clip, tmp_path: Path) -> None:
    port = senders.free_port(socket.SOCK_DGRAM)
    with senders.srt(live_clip, port, "&passphrase=correcthorse"):
        code, doc = eventually(f"srt://127.0.0.1:{port}?passphrase=correcthorse", tmp_path)
    assert (code, doc["state"]) == (0, "live")
    assert "correcthorse" not in repr(doc["evidence"]) + doc["answer"]["identity"]["id"]


def test_a_camera_is_looked_at(live_clip: Clip, tmp_path: Path) -> None:
    require_gstreamer()
    with RtspServer(live_clip, login=("me", "secret")) as camera:
        code, doc = resolve(camera.url, tmp_path)
        bare = camera.url.replace("me:secret@", "")
        refused = resolve(bare, tmp_path)
    assert (code, doc["state"], stream_of(doc)["codec"]) == (0, "live", "h264")
    assert "secret" not in repr(doc["evidence"]) + doc["answer"]["identity"]["id"]
    assert (refused[0], refused[1]["state"], refused[1]["error"]["code"]) == (22, "needs_login", "forbidden")


async def test_a_dash_show_that_goes_on_is_live(live_clip: Clip, tmp_path: Path) -> None:
    async with LiveOrigin() as origin:
        url = serve_dash(origin, tmp_path)
        with senders.live_dash(live_clip, tmp_path):
            await until((tmp_path / "chunk-stream1-00003.m4s").exists)
            code, doc = await beside_loop(lambda: resolve(url, tmp_path))
    assert (code, doc["state"], stream_of(doc)["height"]) == (0, "live", 90)


async def test_a_dash_show_that_is_over_is_no_live_stream(live_clip: Clip, tmp_path: Path) -> None:
    senders.dash(tmp_path, live_clip)
    async with LiveOrigin() as origin:
        url = serve_dash(origin, tmp_path)
        code, doc = await beside_loop(lambda: resolve(url, tmp_path))
    assert (code, doc["state"]) == (0, "vod")
    assert doc["answer"]["duration_s"] == pytest.approx(12, abs=0.2)


async def test_cookies_stay_with_their_host_where_a_redirect_leads_elsewhere(live_clip: Clip, tmp_path: Path) -> None:
    senders.dash(tmp_path, live_clip)
    jar = tmp_path / "cookies.txt"
    jar.write_text("key=secret")
    async with LiveOrigin() as origin:
        manifest = serve_dash(origin, tmp_path).replace("127.0.0.1", "localhost")
        origin.on("moved").redirect(manifest)
        code, doc = await beside_loop(lambda: resolve(f"{origin.url}/moved", tmp_path, "--cookies", str(jar)))
        cookies = {request.headers.get("cookie") for request in origin.requests if "moved" not in request.path}
    assert (code, doc["state"]) == (0, "vod")
    assert cookies == {None}


def serve_dash(origin: LiveOrigin, folder: Path) -> str:
    names = [f"chunk-stream{track}-{number:05}.m4s" for track in (0, 1) for number in range(1, 100)]
    for name in ["init-stream0.m4s", "init-stream1.m4s", *names]:
        origin.file(name, folder / name)
    return origin.file("show.mpd", folder / "show.mpd", content_type="application/dash+xml")


@needs_proc
def test_who_says_nothing_is_given_up_in_time_and_no_child_stays(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x"
        done = ouzel(url, "--json", "--timeout", "1s", cwd=tmp_path, command="resolve", env={"TMPDIR": str(tmp_path)})
    (doc,) = done.events
    assert (done.code, doc["state"], doc["error"]["code"]) == (21, "blocked", "stalled")
    assert not [place for place in Path("/proc").glob("[0-9]*/environ") if str(tmp_path).encode() in _read(place)]


def _read(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError:  # it has ended, or is not ours
        return b""


def eventually(url: str, cwd: Path) -> tuple[int, dict[str, Any]]:
    """Its server may not listen yet."""
    for _ in range(20):
        code, doc = resolve(url, cwd)
        if code == 0:
            break
    return code, doc


# -- over HTTP -------------------------------------------------------------------------------------------------------------

# how the origin answers, and what that is: exit code, state, error code
ANSWERS: dict[str, tuple[Callable[[LiveOrigin, str], object], int, str, str]] = {
    "denied.flv": (lambda origin, path: origin.on(path).status(403), 21, "blocked", "forbidden"),
    "login.flv": (lambda origin, path: origin.on(path).status(401), 22, "needs_login", "forbidden"),
    "away.m3u8": (lambda origin, path: origin.on(path).status(404), 25, "gone", "gone"),
    "busy.flv": (lambda origin, path: origin.on(path).status(429), 21, "blocked", "rate_limited"),
    "sick.flv": (lambda origin, path: origin.on(path).status(503), 21, "blocked", "server_trouble"),
    "page": (lambda origin, path: origin.on(path).body(b"<html>Sign in</html>"), 2, "broken", "unknown_site"),
    "api": (lambda origin, path: origin.on(path).body(b'{"error": 1}'), 2, "broken", "unknown_site"),
}


@pytest.mark.parametrize(("answer", "exit_code", "state", "code"), ANSWERS.values(), ids=ANSWERS)
async def test_why_nobody_knows_is_a_state_with_evidence(
    answer: Callable[[LiveOrigin, str], object], exit_code: int, state: str, code: str, tmp_path: Path
) -> None:
    async with LiveOrigin() as origin:
        answer(origin, "here")
        found, doc = await beside_loop(lambda: resolve(f"{origin.url}/here", tmp_path))
    assert (found, doc["event"], doc["platform"]) == (exit_code, "resolved", "direct")
    assert (doc["state"], doc["error"]["code"]) == (state, code)
    (evidence,) = doc["evidence"]
    assert evidence["status"] in {200, 401, 403, 404, 429, 503}
    assert "127.0.0.1 is no platform" in doc["error"]["context"]["unknown_site"]


def test_nobody_at_the_port(tmp_path: Path) -> None:
    code, doc = resolve(f"http://127.0.0.1:{senders.free_port()}/x.flv", tmp_path)
    assert (code, doc["state"], doc["error"]["code"]) == (21, "blocked", "connect_failed")
    assert [each["error"] for each in doc["evidence"]] == ["connect_failed"]


async def test_a_certificate_of_somebody_else(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("other.example").configure_cert(context)
    async with LiveOrigin(tls=context) as origin:
        code, doc = await beside_loop(lambda: resolve(f"{origin.url}/x.flv", tmp_path))
    assert (code, doc["state"], doc["error"]["code"]) == (21, "blocked", "tls_failed")


def test_a_name_that_is_spelt_nearly_like_a_platform(tmp_path: Path) -> None:
    code, doc = resolve("https://live.bilibli.invalid/12", tmp_path)
    assert (code, doc["state"], doc["error"]["code"]) == (21, "blocked", "host_not_found")
    done = ouzel("https://live.bilibili.co.invalid/12", cwd=tmp_path, command="resolve")
    assert "https://live.bilibili.com/21495945" in done.out


def words(url: str, cwd: Path, language: str) -> Done:
    return ouzel(url, "-v", cwd=cwd, command="resolve", env={"OUZEL_LANG": language})


async def test_people_are_told_in_their_language(tmp_path: Path) -> None:
    async with LiveOrigin() as origin:
        origin.on("here").status(403)
        english = await beside_loop(lambda: words(f"{origin.url}/here", tmp_path, "en"))
        chinese = await beside_loop(lambda: words(f"{origin.url}/here", tmp_path, "zh"))
    assert english.out.startswith("blocked, so that nobody knows whether it is live: 127.0.0.1 answered 403")
    assert "what helps: it may have expired" in english.out
    assert "own asked: GET http://127.0.0.1" in english.out
    assert chinese.out.startswith("未能访问，无法得知是否在直播：127.0.0.1 应答 403")
    assert "建议：地址可能已过期" in chinese.out
