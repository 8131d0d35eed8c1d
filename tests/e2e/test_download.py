"""`ouzel download`, the real program against a real server."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.command import ouzel

KEY = bytes(range(16))


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.missing: set[str] = set()
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        name = self.path.lstrip("/")
        self.server.asked.append(name)
        if name in self.server.missing:
            self.send_error(404)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


def media(folder: Path, name: str, *options: str) -> None:
    pictures = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=10", "-f", "lavfi", "-i", "sine=440", "-t", "12"]
    hls = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac", "-f", "hls", "-hls_time", "1"]
    args = [*pictures, *hls, "-hls_playlist_type", "vod", *options, f"{name}.m3u8"]
    subprocess.run(["ffmpeg", "-v", "error", *args], cwd=folder, check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("vod")
    media(made, "clear", "-hls_segment_filename", "clear%02d.ts")
    (made / "key.bin").write_bytes(KEY)
    (made / "keys").write_text("key.bin\nkey.bin\n")
    media(made, "locked", "-hls_key_info_file", "keys", "-hls_segment_filename", "locked%02d.ts")
    moving = ("-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "movie-init.mp4")
    media(made, "movie", *moving, "-hls_segment_filename", "movie%02d.m4s")
    return made


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with Server(folder) as made, ThreadPoolExecutor(1) as beside:
        beside.submit(made.serve_forever, 0.05)
        yield made
        made.shutdown()


def download(*args: object, code: int = 0) -> dict[str, Any]:
    done = ouzel(*map(str, args), "--json", cwd=Path("/"), command="download")
    assert done.code == code, done.out + done.err
    report = json.loads(done.out.splitlines()[-1])
    [doc] = report["downloads"]
    return doc


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def of_parts(folder: Path, pattern: str, head: bytes = b"") -> str:
    return sha(head + b"".join(path.read_bytes() for path in sorted(folder.glob(pattern))))


def decrypted(folder: Path, tmp_path: Path) -> str:
    """By OpenSSL; the playlist says an IV of zeros."""
    data = b""
    for path in sorted(folder.glob("locked*.ts")):
        args = ["openssl", "enc", "-d", "-aes-128-cbc", "-K", KEY.hex(), "-iv", "0" * 32, "-in", path]
        data += subprocess.run([*map(str, args)], check=True, capture_output=True, cwd=tmp_path).stdout
    return sha(data)


def test_what_is_written_is_what_the_server_has(server: Server, folder: Path, tmp_path: Path) -> None:
    clear = download(server.url("clear.m3u8"), "-o", tmp_path)
    assert sha(Path(clear["path"]).read_bytes()) == of_parts(folder, "clear*.ts")
    locked = download(server.url("locked.m3u8"), "-o", tmp_path)
    assert sha(Path(locked["path"]).read_bytes()) == decrypted(folder, tmp_path)
    movie = download(server.url("movie.m3u8"), "-o", tmp_path)
    assert sha(Path(movie["path"]).read_bytes()) == of_parts(
        folder, "movie*.m4s", (folder / "movie-init.mp4").read_bytes()
    )
    assert {clear["segments"], locked["segments"], movie["segments"]} == {12}


def test_a_missing_segment_is_named_and_fetched_by_the_next_call(server: Server, folder: Path, tmp_path: Path) -> None:
    server.missing = {"clear05.ts"}
    doc = download(server.url("clear.m3u8"), "-o", tmp_path, "--profile", "fast", code=3)
    assert [(gap["sequence"], gap["code"]) for gap in doc["gaps"]] == [(5, "segment_gone")]
    assert doc["code"] == "incomplete"
    server.missing = set()
    server.asked.clear()
    again = download(server.url("clear.m3u8"), "-o", tmp_path)
    assert set(server.asked) == {"clear.m3u8", "clear05.ts"}
    assert again["gaps"] == []
    assert sha(Path(again["path"]).read_bytes()) == of_parts(folder, "clear*.ts")


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    download(server.url("clear.m3u8"), "-o", tmp_path)
    server.asked.clear()
    assert download(server.url("clear.m3u8"), "-o", tmp_path)["fetched_bytes"] == 0
    assert server.asked == ["clear.m3u8"]


def test_a_task_of_a_file_is_told_by_its_address(server: Server, tmp_path: Path) -> None:
    (tmp_path / "tasks.json").write_text(json.dumps([{"name": "a film", "url": server.url("clear.m3u8")}]))
    doc = download(tmp_path / "tasks.json", "-o", tmp_path)
    assert (doc["url"], doc["path"]) == (server.url("clear.m3u8"), str(tmp_path / "a film.ts"))


def test_another_format_is_made_and_checked(server: Server, tmp_path: Path) -> None:
    doc = download(server.url("clear.m3u8"), "-o", tmp_path / "film.mp4")
    assert (doc["format"], doc["path"]) == ("mp4", str(tmp_path / "film.mp4"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.ledger", "film.mp4"]
    assert ouzel(tmp_path / "film.mp4", cwd=tmp_path, command="verify").code == 0


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        (("--key", "00112233445566778899aabbccddeeff"), 4, "not_decrypted"),
        (("--key", "0011"), 2, "bad_option"),
        (("--from", "90"), 2, "bad_option"),
        (("--from", "5", "--to", "5"), 2, "bad_option"),
        (("--format", "mp4", "-o", "x.ts"), 2, "bad_option"),
    ],
)
def test_what_cannot_be_is_one_line(
    server: Server, tmp_path: Path, options: tuple[str, ...], code: int, word: str
) -> None:
    done = ouzel(server.url("locked.m3u8"), *options, cwd=tmp_path, command="download")
    assert done.code == code, done.err
    assert len(done.err.splitlines()) == 1
    assert word in done.err
    assert list(tmp_path.iterdir()) == []
