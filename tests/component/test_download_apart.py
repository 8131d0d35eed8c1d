"""A video whose sound the site keeps apart: two files are fetched, and one comes of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ouzel.engine.download.asking import Address
from ouzel.engine.download.downloader import Downloader
from ouzel.engine.probe import probe
from ouzel.model.downloads import DownloadOutcome, DownloadWish
from ouzel.model.live import Identity, Vod
from ouzel.model.stream import Stream
from ouzel.platforms.adapters.of_ytdlp import _apart  # pyright: ignore[reportPrivateUsage]
from ouzel.platforms.contract import Options
from ouzel.platforms.wire import parse_outcome, render_outcome
from ouzel.system.clock import SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client

pytestmark = pytest.mark.anyio


class Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "site"
    folder.mkdir()
    pictures = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=10", "-t", "8", "-c:v", "libx264", "-g", "10"]
    sound = ["-f", "lavfi", "-i", "sine=440", "-t", "8", "-c:a", "aac"]
    for args, name in ((pictures, "pictures.mp4"), (sound, "sound.m4a")):
        subprocess.run(["ffmpeg", "-v", "error", *args, name], cwd=folder, check=True)
    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    with made as server, ThreadPoolExecutor(1) as beside:
        beside.submit(server.serve_forever, 0.05)
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


async def test_pictures_and_sound_become_one_file(site: str, tmp_path: Path) -> None:
    async def find(wish: DownloadWish) -> Address:
        return Address(Stream(wish.url, sound=Stream(f"{site}/sound.m4a")), title="a film")

    async def on_air(*_: object) -> DownloadOutcome:
        raise AssertionError("it is over")

    async with Http1Client() as http:
        downloader = Downloader(http, SystemClock(), FfmpegFinder(), find, on_air)
        wish = DownloadWish(f"{site}/pictures.mp4", tmp_path / "out")
        outcome = await downloader.run(wish, on_progress=lambda _progress: None)
    assert outcome.path == tmp_path / "out" / "a film.mp4"
    found = await probe(outcome.path)
    assert sorted(each.codec for each in found.streams) == ["aac", "h264"]
    assert found.media_s == pytest.approx(8, abs=0.2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a film.ledger", "a film.mp4"]


def test_each_picture_has_the_sound_of_its_container() -> None:
    formats = [
        {"url": "https://h/a.webm", "protocol": "https", "ext": "webm", "vcodec": "none", "acodec": "opus"},
        {"url": "https://h/a.m4a", "protocol": "https", "ext": "m4a", "vcodec": "none", "acodec": "mp4a.40.2"},
        {"url": "https://h/m.mpd", "protocol": "http_dash_segments", "ext": "mp4", "vcodec": "avc1", "acodec": "none"},
        {"url": "https://h/v.webm", "protocol": "https", "ext": "webm", "vcodec": "vp9", "acodec": "none"},
        {"url": "https://h/v.mp4", "protocol": "https", "ext": "mp4", "vcodec": "avc1.64", "acodec": "none"},
        {"url": "https://h/both.mp4", "protocol": "https", "ext": "mp4", "vcodec": "avc1", "acodec": "mp4a.40.2"},
    ]
    found = [(each.url[10:], each.sound.url[10:] if each.sound else "") for each in _apart(formats, Options())]
    assert found == [("v.mp4", "a.m4a"), ("v.webm", "a.webm")]
    assert _apart(formats[2:], Options()) == (), "without any sound there is nothing to join"


def test_the_child_that_asks_tells_of_the_sound_too() -> None:
    pictures = Stream("https://h/v.mp4", (("Referer", "https://h/"),), sound=Stream("https://h/a.m4a"))
    vod = Vod(Identity("youtube", "x"), "who", (pictures, Stream("https://h/both.mp4")))
    assert parse_outcome(render_outcome(vod)) == vod
