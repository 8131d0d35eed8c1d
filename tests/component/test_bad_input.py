"""What is no stream, or not one that may be recorded: one clear line with a stable code, and nothing that looks like a file."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme
from tests.command import Done, is_run, left_in, numbers, ouzel

from ouzel.cli.main import run
from ouzel.system import guard
from ouzel.system.guard import Endpoint
from ouzel.testing.clips import Clip
from ouzel.testing.disk import tiny_disk
from ouzel.testing.origin import Hls, LiveOrigin, OriginProcess

if TYPE_CHECKING:
    from conftest import Studio

LIVE = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
SECRETS = "file:///etc/passwd"
NOISE = random.Random(5).randbytes(50_000).replace(b"\x47", b"")
FLV = b"FLV\x01\x05\0\0\0\x09\0\0\0\0"
FTYP = b"\0\0\0\x18ftypiso5\0\0\0\0iso5iso5"


def segments(*uris: str, tags: str = "", over: bool = True) -> bytes:
    lines = "".join(f"#EXTINF:1,\n{uri}\n" for uri in uris)
    return f"{LIVE}{tags}{lines}{'#EXT-X-ENDLIST' if over else ''}\n".encode()


# name of the answer: (what is answered, code, words that the line must have)
ANSWERS: dict[str, tuple[bytes, str, str]] = {
    "page.m3u8": (b"<!doctype html><html><body>Sign in</body></html>", "not_media", "web page"),
    "page.flv": (b"\n<html>" + b"x" * 100_000, "not_media", "web page"),
    "api.json": (b'{"error": "no such room"}', "not_media", "a JSON document"),
    "words.txt": (b"out of order", "not_media", "no media that Ouzel knows"),
    "empty.ts": (b"", "not_media", "empty"),
    "noise.bin": (NOISE, "not_media", "Invalid data"),
    "noise.ts": (bytes(range(7, 251)) * 2000, "bad_format", "transport stream"),
    "nothing.m3u8": (LIVE.encode() + b"#EXT-X-ENDLIST\n", "not_media", "without any media"),
    "choice.m3u8": (b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=x\n", "bad_format", "nothing to play"),
    "masters.m3u8": (
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmasters.m3u8\n",
        "bad_format",
        "gives a master playlist",
    ),
    "file.m3u8": (segments(SECRETS, SECRETS), "scheme_refused", SECRETS),
    "live-file.m3u8": (segments(SECRETS, over=False), "scheme_refused", SECRETS),
    "key.m3u8": (segments("x.ts", tags=f'#EXT-X-KEY:METHOD=AES-128,URI="{SECRETS}"\n'), "scheme_refused", SECRETS),
    "map.m3u8": (segments("x.m4s", tags=f'#EXT-X-MAP:URI="{SECRETS}"\n'), "scheme_refused", SECRETS),
    "top.m3u8": (f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{SECRETS}\n".encode(), "scheme_refused", SECRETS),
    "ftp.m3u8": (segments("ftp://127.0.0.1/x.ts"), "scheme_refused", "ftp://"),
    "drm.m3u8": (
        segments("x.ts", tags='#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x"\n'),
        "encrypted",
        "SAMPLE-AES",
    ),
    "lost.m3u8": (segments("none1.ts", "none2.ts", "none3.ts", "none4.ts"), "gone", "404"),
    "pages.m3u8": (segments("page.m3u8", "page.m3u8?2", "page.m3u8?3"), "not_media", "web page"),
    "head.flv": (FLV, "not_media", "without any media"),
    "tag.flv": (FLV + b"\x09\xff\xff\xff" + bytes(7) + b"\x17" + bytes(100_000), "too_large", "too large"),
    "zeros.flv": (FLV + b"\x09\xff\xff\xff" + bytes(20_000_000), "too_large", "tag too large"),
    "moov.mp4": (FTYP + (2**31).to_bytes(4, "big") + b"moov" + bytes(100_000), "not_media", "any stream"),
    "mdat.mp4": (FTYP + (2**31 - 1).to_bytes(4, "big") + b"mdat" + bytes(100_000), "not_media", "Invalid data"),
}
# path: (how the origin answers it, code, words)
RULES: dict[str, tuple[Callable[[LiveOrigin, str], object], str, str]] = {
    "unknown.m3u8": (lambda origin, path: None, "gone", "404"),
    "forbidden.m3u8": (lambda origin, path: origin.on(path).status(403), "forbidden", "403"),
    "broken.flv": (lambda origin, path: origin.on(path).status(500), "server_trouble", "500"),
    "busy.flv": (lambda origin, path: origin.on(path).status(429, retry_after=0), "rate_limited", "429"),
    "circle.m3u8": (
        lambda origin, path: origin.on(path).redirect(f"/files/{path}"),
        "too_many_redirects",
        "circle",
    ),
    "away.m3u8": (lambda origin, path: origin.on(path).redirect(SECRETS), "scheme_refused", SECRETS),
    "reset.flv": (lambda origin, path: origin.on(path).reset(), "connection_lost", ""),
}
CASES = {name: case[1:] for name, case in {**ANSWERS, **RULES}.items()}


@pytest.fixture(scope="module")
def origin() -> Iterator[LiveOrigin]:
    with OriginProcess() as process:
        yield process.origin


@pytest.fixture(scope="module")
def told(origin: LiveOrigin, tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path, str]:
    """One call for all the addresses; the folder that it wrote into, and where the addresses begin."""
    for name, (answer, _, _) in ANSWERS.items():
        origin.file(name, answer)
    for name, (plan, _, _) in RULES.items():
        if name != "unknown.m3u8":
            origin.file(name, FLV)
        plan(origin, name)
    folder = tmp_path_factory.mktemp("bad")
    urls = [f"{origin.url}/files/{name}" for name in CASES]
    return ouzel(*urls, "--json", "-o", folder / "out", cwd=folder), folder, f"{origin.url}/files/"


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_stream_is_told_in_one_line_with_its_code(name: str, told: tuple[Done, Path, str]) -> None:
    done, _, base = told
    code, words = CASES[name]
    (recording,) = [each for each in done.report["recordings"] if each["source"] == base + name]
    assert recording["error"]["code"] == code
    assert words in recording["error"]["message"]
    assert recording["end_reason"] == "never_started"
    assert recording["files"] == []
    (line,) = [line for line in done.err.splitlines() if line.startswith(f"ouzel: error: {base}{name}: ")]
    assert recording["error"]["message"] in line
    assert line.endswith(f" ({code})")


def test_nothing_is_left_of_all_these_and_nothing_else_is_said(told: tuple[Done, Path, str]) -> None:
    done, folder, _ = told
    assert done.code == 4
    assert left_in(folder) == ["out"]
    assert len(done.err.splitlines()) == len(CASES)
    assert done.events[-1]["event"] == "report"
    assert not done.told("error"), "that is for calls that did not begin"


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("http://nosuch.invalid/live.flv", "host_not_found", "nosuch.invalid"),
        ("http://127.0.0.1:1/live.flv", "connect_failed", "refused"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_alone_on_one_line(
    url: str, code: str, words: str, tmp_path: Path
) -> None:
    done = ouzel(url, "-o", "out/", cwd=tmp_path)
    (line,) = done.err.splitlines()
    assert line.startswith("ouzel: error: ")
    assert line.endswith(f" ({code})")
    assert words in line
    assert (done.code, done.out, left_in(tmp_path)) == (4, "", ["out"])


def test_a_playlist_of_100_mb_is_not_read_to_its_end(origin: LiveOrigin, tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    huge.write_bytes(LIVE.encode() + b"#EXTINF:2,\nsegment.ts\n" * 4_600_000)
    done = ouzel(origin.file("huge.m3u8", huge), "-o", "out/", cwd=tmp_path)
    assert done.code == 4
    assert done.err == "ouzel: error: the playlist has more than 16777216 bytes (too_large)\n"


def test_an_unknown_quality_names_what_there_is(
    origin: LiveOrigin, clip: Clip, small_clip: Clip, tmp_path: Path
) -> None:
    show = origin.channel("quality", clip).variant("small", small_clip).push(3).end()
    done = ouzel(show.url, "--quality", "bets", "-o", "out/", cwd=tmp_path)
    (line,) = done.err.splitlines()
    assert "'bets'" in line
    assert "180p, 96p" in line
    assert line.endswith("(unknown_quality)")
    assert done.code == 2


def test_a_certificate_that_nobody_vouches_for(clip: Clip, tmp_path: Path) -> None:
    pem, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    leaf = trustme.CA().issue_cert("127.0.0.1")
    leaf.cert_chain_pems[0].write_to_path(pem)
    leaf.private_key_pem.write_to_path(key)
    with OriginProcess(certificate=pem, key=key) as process:
        show = process.origin.channel("show", clip, hls=Hls(window=0)).push(3).end()
        refused = ouzel(show.url, "-o", "out/", cwd=tmp_path)
        taken = ouzel(show.url, "-o", "out/", "--insecure", "--json", cwd=tmp_path)
    (line,) = refused.err.splitlines()
    assert line.endswith("(tls_failed)")
    assert "certificate" in line
    assert refused.code == 4
    assert taken.code == 0
    assert numbers(taken.files[0]) == [0, 1, 2]


# -- where it may not be written ---------------------------------------------------------------------------------------


def test_an_output_below_a_file_or_on_a_disk_that_is_read_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = ouzel("http://127.0.0.1:1/x.flv", "-o", "file/out/", cwd=tmp_path)
    (line,) = done.err.splitlines()
    assert line.endswith("file/out is not a folder (read_only)")
    assert done.code == 5
    with tiny_disk(tmp_path / "disk") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        done = ouzel("http://127.0.0.1:1/x.flv", "-o", "disk/out", "--json", cwd=tmp_path)
    assert done.events[0]["code"] == "read_only"
    assert len(done.err.splitlines()) == 1
    assert done.code == 5


@pytest.mark.parametrize("existing", ["show.flv", "show.ledger", "show.flv.part"])
def test_an_output_that_exists_is_not_touched(
    existing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / existing).write_text("mine")
    assert run(["record", "http://127.0.0.1:1/x.flv", "-o", str(tmp_path / "show.flv")]) == 2
    assert capsys.readouterr().err.endswith("exists already; give another name or remove it (output_exists)\n")
    assert (tmp_path / existing).read_text() == "mine"
    assert left_in(tmp_path) == [existing]


def test_the_original_of_a_wanted_format_may_not_exist_either(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    show = origin.channel("exists", clip).push(3).end()
    (tmp_path / "show.flv").write_text("mine")
    done = ouzel(show.flv_url, "-o", "show.mp4", cwd=tmp_path)
    (line,) = done.err.splitlines()
    assert line.endswith("(output_exists)")
    assert done.code == 2
    assert left_in(tmp_path) == ["show.flv"]


# -- words of the command line -----------------------------------------------------------------------------------------

URL = "http://127.0.0.1:1/x.flv"


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        ([], "bad_arguments", "URL"),
        (["nope"], "bad_url", "scheme and a host"),
        (["localhost:8080/x.flv"], "bad_url", "scheme and a host"),
        (["http://"], "bad_url", "scheme and a host"),
        (["http://a:99999/"], "bad_url", "Port out of range"),
        (["gopher://example.org/x"], "bad_url", "there are http, https, rtmp"),
        ([SECRETS], "bad_url", "file: is no scheme"),
        ([URL, URL], "bad_option", "twice"),
        ([f"{URL}?{n}" for n in range(1001)], "bad_option", "1001 addresses are too many"),
        ([URL, "--duration", "soon"], "bad_option", "90s, 1h30m"),
        ([URL, "--duration", "0"], "bad_option", "--duration must be more"),
        ([URL, "--split-after", "-1h"], "bad_option", "not a duration"),
        ([URL, "--split-size", "big"], "bad_option", "2GB"),
        ([URL, "--split-size", "0MB"], "bad_option", "--split-size must be more"),
        ([URL, "--park", "x"], "bad_option", "not a duration"),
        ([URL, "--min-free", "x"], "bad_option", "not a size"),
        ([URL, "--header", "no colon"], "bad_option", "'Name: value'"),
        ([URL, "--header", "Two Words: x"], "bad_option", "'Name: value'"),
        ([URL, "--header", "A: b\r\nC: d"], "bad_option", "'Name: value'"),
        ([URL, "--user-agent", "a\nb"], "bad_option", "'Name: value'"),
        ([URL, "--name", "{nmae}"], "bad_option", "{name}"),
        ([URL, "--name", "{start:%"], "bad_option", "cannot be read"),
        ([URL, "--cookies", "/nowhere/cookies.txt"], "bad_option", "cookies"),
        ([URL, "--proxy", "ftp://127.0.0.1"], "bad_option", "--proxy"),
        ([URL, "--proxy", "127.0.0.1:3128"], "bad_option", "--proxy"),
        ([URL, "--format", "avi"], "bad_arguments", "mkv"),
        ([URL, "-o", "x.mp4", "--format", "mkv"], "bad_option", "--format says mkv"),
        ([URL, f"{URL}?2", "-o", "x.mp4"], "bad_option", "give a folder"),
        ([URL, "--nope"], "bad_arguments", "--nope"),
    ],
)
def test_bad_words_are_told_in_one_line_before_anything_is_opened(
    words: list[str], code: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(["record", *words]) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("ouzel: error: ")
    assert line.endswith(f" ({code})")
    assert part in line
    assert captured.out == ""
    assert left_in(tmp_path) == []


def test_bad_words_are_an_event_with_json(tmp_path: Path) -> None:
    done = ouzel(URL, "--duration", "soon", "--json", cwd=tmp_path)
    (event,) = done.events
    assert event["event"] == "error"
    assert event["code"] == "bad_option"
    assert done.err == f"ouzel: error: {event['message']} (bad_option)\n"
    assert done.code == 2


def test_no_command_shows_the_help(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "ouzel"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "record live streams" in done.stderr
    assert "Traceback" not in done.stderr


# -- in process, with quick policies and a fake look-up ----------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("private", ["10.1.2.3", "127.0.0.1", "169.254.169.254", "[::1]", "router.test"])
async def test_a_public_channel_may_not_name_a_private_address(
    private: str, record: Studio, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lookup(host: str, port: int) -> list[Endpoint]:
        """Public names lead to the origin all the same."""
        address = "192.168.1.1" if host == "router.test" else "93.184.216.34"
        return [Endpoint(socket.AF_INET, ("127.0.0.1", port), ip_address(address))]

    monkeypatch.setattr(guard, "system_lookup", lookup)
    async with LiveOrigin(host="media.test") as origin:
        show = origin.channel("show", clip, hls=Hls(window=0)).push(3)
        bad = f"http://{private}:{origin.url.rpartition(':')[2]}/live/show/seg0.ts"
        origin.file("named.m3u8", segments(bad))
        origin.on("away.m3u8").redirect(bad)
        for name in ("named", "away"):
            kept = await record(f"{origin.url}/files/{name}.m3u8")
            assert kept.report.error is not None
            assert kept.report.error[0] == "address_refused"
            assert private.strip("[]") in kept.report.error[1]
        assert origin.hits("seg0.ts") == 0
        show.end()
        assert (await record(show.url)).numbers == [0, 1, 2]


@pytest.mark.anyio
async def test_a_forbidden_segment_in_mid_show_is_a_gap_and_the_show_goes_on(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=0)).push(4).end()
        here = f"{origin.url}/live/show"
        origin.on("index.m3u8").body(segments(f"{here}/seg0.ts", SECRETS, f"{here}/seg2.ts"))
        kept = await record(show.url)
    assert kept.numbers == [0, 2]
    assert [code for code, _ in kept.gaps] == ["segment_bad"]
    assert kept.report.gaps[0].why.startswith("scheme_refused: ")


@pytest.mark.anyio
async def test_a_live_playlist_that_stays_empty_is_given_up(record: Studio) -> None:
    async with LiveOrigin() as origin:
        url = origin.file("empty.m3u8", LIVE.encode())
        kept = await record(url, frozen_min_s=0.3)
    assert kept.report.error is not None
    assert kept.report.error[0] == "stalled"
    assert "no segment" in kept.report.error[1]
    assert not kept.report.files


@pytest.mark.anyio
async def test_a_server_whose_segments_fail_at_first_loses_nothing(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=0)).push(4).end()
        origin.on("seg0.ts").status(503, times=7)
        kept = await record(show.url)
    assert is_run(kept.numbers)
    assert len(kept.numbers) == 4
    assert kept.gaps == []
