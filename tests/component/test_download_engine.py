"""The engine of downloads against a server that misbehaves: what is written is what the server has, byte for byte."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from tests.downloaded import HASTE, KEY, download, downloading, packets, playlist, there

from ouzel.base.errors import DiskFull, Incomplete, NotMedia, OutputExists, OuzelError, RateLimited
from ouzel.engine.download import crew, downloader, file, flight, track
from ouzel.engine.download.asking import Address
from ouzel.engine.download.taker import Place
from ouzel.model import ledger
from ouzel.model.downloads import DownloadOutcome, DownloadProgress, DownloadWish
from ouzel.model.stream import Stream
from ouzel.testing.origin.server import Hold
from ouzel.testing.vod import Faults, VodServer

pytestmark = pytest.mark.anyio
COUNT = 12


def clear(count: int = COUNT, size: int = 50) -> dict[str, bytes]:
    files = {f"/{number}.ts": packets(size + number, number) for number in range(count)}
    return {**files, "/film.m3u8": playlist([f"{number}.ts" for number in range(count)])}


def joined(files: dict[str, bytes]) -> bytes:
    names = sorted((name for name in files if name.endswith(".ts")), key=lambda name: int(name[1:-3]))
    return b"".join(files[name] for name in names)


def padded(data: bytes, number: int, *, odd: bool = False) -> bytes:
    """Encrypted with the media sequence number as IV. `odd`: without the padding that ought to be there."""
    pad = 16 - len(data) % 16
    whole = data if odd else data + bytes([pad]) * pad
    encryptor = Cipher(AES(KEY), CBC(number.to_bytes(16, "big"))).encryptor()
    return encryptor.update(whole) + encryptor.finalize()


def locked(plain: dict[int, bytes]) -> dict[str, bytes]:
    files = {f"/{number}.ts": padded(data, number) for number, data in plain.items()}
    head = '#EXT-X-KEY:METHOD=AES-128,URI="key"'
    return {**files, "/key": KEY, "/film.m3u8": playlist([f"{number}.ts" for number in plain], head=head)}


async def test_a_limit_holds_for_pieces_that_come_in_one_go(tmp_path: Path) -> None:
    files, rate_bps = clear(count=24), 500_000
    async with VodServer(files) as vod, downloading() as downloader:
        wish = DownloadWish(vod.url("/film.m3u8"), tmp_path, pace=replace(HASTE, rate_bps=rate_bps))
        began_s = anyio.current_time()
        done = await downloader.run(wish, on_progress=lambda _progress: None)
        took_s = anyio.current_time() - began_s
    under_way = HASTE.connections * max(map(len, files.values()))  # each may take a piece before anybody owes anything
    assert took_s >= (done.size - under_way) / rate_bps > 0.2


@pytest.mark.parametrize("name", ["/film.m3u8", "/film.mp4"])
async def test_what_has_come_of_a_piece_is_told_before_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    film = clear(count=1, size=2000)
    files = {"/film.mp4": film["/0.ts"], **film}
    seen: list[DownloadProgress] = []
    monkeypatch.setattr(downloader, "_LOOK_S", 0.01)
    async with VodServer(files) as vod:
        for path in ("/0.ts", "/film.mp4"):
            vod.faults[path] = Faults(no_ranges=path == "/film.mp4", resets=1, reset_at=300_000, slow_bps=1_500_000)
        done = await download(vod.url(name), tmp_path, tell=seen.append)
    assert any(0 < each.bytes_done < done.size for each in seen if not each.pieces_done)
    assert max(each.bytes_done for each in seen) == seen[-1].bytes_done == done.size, "what broke off counts once"


@pytest.mark.parametrize("answers", [[503], [429], [503, 500]])
async def test_a_list_that_is_refused_for_a_moment_is_asked_for_again(tmp_path: Path, answers: list[int]) -> None:
    files = clear()
    async with VodServer(files) as vod:
        vod.faults["/film.m3u8"] = Faults(answers=[*answers])
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert done.path.read_bytes() == joined(files)
        assert vod.asked["/film.m3u8"] == 1 + len(answers)


async def test_who_wants_to_be_left_alone_for_an_hour_is_believed_at_once(tmp_path: Path) -> None:
    async with VodServer(clear()) as vod:
        vod.faults["/film.m3u8"] = Faults(answers=[429], retry_after_s=3600)
        with pytest.raises(RateLimited):
            await download(vod.url("/film.m3u8"), tmp_path)
        assert vod.asked["/film.m3u8"] == 1


@pytest.mark.parametrize("text", ["#EXTM3U\n", "#EXTM3U\n#EXT-X-VERSION:3\n"])
async def test_a_list_that_says_nothing_is_not_waited_for(tmp_path: Path, text: str) -> None:
    async with VodServer({"/film.m3u8": text.encode()}) as vod:
        with pytest.raises(NotMedia, match="an empty playlist"):
            await download(vod.url("/film.m3u8"), tmp_path)


async def test_clear_segments_each_asked_for_once(tmp_path: Path) -> None:
    files = clear()
    async with VodServer(files) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert done.path.read_bytes() == joined(files)
        assert all(vod.asked[name] == 1 for name in files)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("surplus", [1, 5, 9, 12, 13])
async def test_a_length_that_was_foreseen_wrongly_spoils_nothing(
    tmp_path: Path, surplus: int, *, chunked: bool
) -> None:
    """Segments that are not made of packets alone, although their encrypted length allows it."""
    plain = {number: packets(40 + number, number) for number in range(COUNT)}
    plain[3] += b"\x47" * surplus
    files = locked(plain)
    async with VodServer(files) as vod:
        vod.faults["/3.ts"] = Faults(slow_bps=30_000, slow=1, chunked=chunked)
        done = await download(vod.url("/film.m3u8"), tmp_path)
    assert done.path.read_bytes() == b"".join(plain.values())


async def test_going_on_by_range_after_a_reset(tmp_path: Path) -> None:
    files = clear(size=2000)
    async with VodServer(files) as vod:
        vod.faults["/3.ts"] = Faults(resets=1, reset_at=200_000)
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert done.path.read_bytes() == joined(files)
        assert vod.sent("/3.ts") == len(files["/3.ts"])


async def test_resets_do_not_count_where_bytes_have_come(tmp_path: Path) -> None:
    files = clear(3, size=6000)
    async with VodServer(files) as vod:
        vod.faults["/1.ts"] = Faults(resets=8, reset_at=120_000)
        done = await download(vod.url("/film.m3u8"), tmp_path, pace=replace(HASTE, retries=1))
        assert done.path.read_bytes() == joined(files)


@pytest.mark.parametrize("faults", [
    Faults(answers=[404, 404]),
    Faults(answers=[500, 502, 500]),
    Faults(answers=[429, 503], retry_after_s=0),
    Faults(chunked=True),
    Faults(gzip=True),
    Faults(gzip=True, chunked=True),
    Faults(front=b"\x89PNG\r\n\x1a\n" + bytes(60)),
    Faults(resets=2, reset_at=3000, no_ranges=True),
    Faults(resets=2, reset_at=3000, chunked=True),
])  # fmt: skip
async def test_trouble_that_passes(tmp_path: Path, faults: Faults) -> None:
    files = clear()
    async with VodServer(files) as vod:
        vod.faults = {f"/{number}.ts": replace(faults, answers=[*faults.answers]) for number in (0, 4, 5, COUNT - 1)}
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert done.path.read_bytes() == joined(files)


@pytest.mark.parametrize("faults", [
    Faults(page="<html><body>not here</body></html>"), Faults(answers=[404] * 50), Faults(longer=100),
])  # fmt: skip
async def test_a_segment_that_cannot_be_had_is_named_and_fetched_later(tmp_path: Path, faults: Faults) -> None:
    files = clear()
    async with VodServer(files) as vod:
        vod.faults = {"/4.ts": faults, "/7.ts": replace(faults, answers=[*faults.answers])}
        with pytest.raises(Incomplete) as raised:
            await download(vod.url("/film.m3u8"), tmp_path)
        outcome = raised.value.context["outcome"]
        assert isinstance(outcome, DownloadOutcome)
        gaps = outcome.gaps
        assert [gap.first_sequence for gap in gaps] == [4, 7]
        vod.faults.clear()
        vod.forget()
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert done.path.read_bytes() == joined(files)
        assert {name: count for name, count in vod.asked.items() if name.endswith(".ts")} == {"/4.ts": 1, "/7.ts": 1}


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("lost", [[0], [COUNT - 1], [2, 3, 8], [1, 2, 3, 4, 5, 6, 7, 9, 10, 11]])
async def test_holes_of_unknown_length_are_each_asked_for_once(
    tmp_path: Path, lost: list[int], *, chunked: bool
) -> None:
    """What stands behind them makes room while they come."""
    files = clear(size=700)
    async with VodServer(files) as vod:
        vod.faults = {f"/{number}.ts": Faults(answers=[404] * 50) for number in lost}
        with pytest.raises(Incomplete):
            await download(vod.url("/film.m3u8"), tmp_path)
        vod.faults = {f"/{number}.ts": Faults(chunked=chunked) for number in lost}
        vod.forget()
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert vod.asked == {"/film.m3u8": 1, **{f"/{number}.ts": 1 for number in lost}}
    assert done.path.read_bytes() == joined(files)


async def test_all_segments_lost_leave_nothing(tmp_path: Path) -> None:
    files = clear()
    async with VodServer(files) as vod:
        vod.faults = {name: Faults(answers=[404] * 50) for name in files if name.endswith(".ts")}
        with pytest.raises(OuzelError):
            await download(vod.url("/film.m3u8"), tmp_path)
    assert there(tmp_path) == {}


async def test_addresses_that_run_out_are_renewed_once_for_all(tmp_path: Path) -> None:
    files = clear(24)
    asked = 0
    async with VodServer(files) as vod:
        segments = [name for name in files if name.endswith(".ts")]

        async def find(wish: DownloadWish) -> Address:
            nonlocal asked
            asked += 1
            token = "old" if asked == 1 else "new"
            vod.files["/film.m3u8"] = playlist([f"{number}.ts?token={token}" for number in range(24)])
            return Address(Stream(wish.url))

        for number, name in enumerate(segments):
            vod.faults[name] = Faults(token="old" if number < 6 else "new")
        done = await download(vod.url("/film.m3u8"), tmp_path, find=find)
        assert done.path.read_bytes() == joined(files)
        assert asked == 2
        assert all(vod.asked[name] <= 2 for name in segments)


async def test_a_media_file_without_a_ledger_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "film.ts.part").write_bytes(b"somebody's")
    async with VodServer(clear()) as vod:
        with pytest.raises(OutputExists):
            await download(vod.url("/film.m3u8"), tmp_path)
    assert there(tmp_path) == {"film.ts.part": b"somebody's"}


async def test_a_finished_file_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "film.ts").write_bytes(b"somebody's")
    async with VodServer(clear()) as vod:
        with pytest.raises(OutputExists):
            await download(vod.url("/film.m3u8"), tmp_path)
    assert there(tmp_path) == {"film.ts": b"somebody's"}


async def test_what_addresses_call_wrongly_is_there_the_second_time(tmp_path: Path) -> None:
    sound = {f"/{number}.ts": (b"\xff\xf1" + bytes(100)) * 9 for number in range(3)}
    files = {**sound, "/film.m3u8": playlist([name[1:] for name in sound])}
    async with VodServer(files) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert (done.path.name, done.path.read_bytes()) == ("film.aac", joined(files))
        vod.forget()
        assert (await download(vod.url("/film.m3u8"), tmp_path)).path.name == "film.aac"
        assert vod.asked == {"/film.m3u8": 1}


@pytest.mark.parametrize("no_ranges", [False, True])
async def test_a_plain_file_comes_once(tmp_path: Path, *, no_ranges: bool) -> None:
    data = packets(60_000, 1)
    async with VodServer({"/film.bin": data}) as vod:
        vod.faults["/film.bin"] = Faults(no_ranges=no_ranges)
        done = await download(vod.url("/film.bin"), tmp_path)
        assert done.path.read_bytes() == data
        looks = 2
        assert vod.asked["/film.bin"] == looks + (1 if no_ranges else 3)


async def test_an_init_segment_is_asked_for_again(tmp_path: Path) -> None:
    files = {"/i.mp4": b"\0\0\0\x10ftypiso5\0\0\0\0", "/0.m4s": b"\0\0\0\x08moof" + bytes(2000)}
    head = '#EXT-X-MAP:URI="i.mp4"'
    async with VodServer({**files, "/film.m3u8": playlist(["0.m4s"], head=head)}) as vod:
        vod.faults["/i.mp4"] = Faults(answers=[503, 500])
        done = await download(vod.url("/film.m3u8"), tmp_path)
    assert done.path.read_bytes() == b"".join(files.values())


async def test_a_host_that_wants_rest_is_not_asked(tmp_path: Path) -> None:
    files = clear(24)
    async with VodServer(files) as vod:
        vod.faults["/0.ts"] = Faults(answers=[429], retry_after_s=1)
        await download(vod.url("/film.m3u8"), tmp_path)
        refused = next(each for each in vod.requests if each.status == 429)
        times = sorted(each.at for each in vod.requests if each.path.endswith(".ts") and each.at > refused.at)
        assert sum(at - refused.at < 0.9 for at in times) <= 4, "what was under way, and no more"


async def test_a_server_of_few_connections(tmp_path: Path) -> None:
    files = clear(40)
    async with VodServer(files, most=3) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path)
    assert done.path.read_bytes() == joined(files)


async def test_a_segment_that_trickles_is_asked_for_elsewhere(tmp_path: Path) -> None:
    files = clear(40, size=400)
    async with VodServer(files) as vod:
        vod.faults["/20.ts"] = Faults(slow_bps=200, slow=1, chunked=True)
        with anyio.fail_after(20):
            done = await download(vod.url("/film.m3u8"), tmp_path)
        assert vod.asked["/20.ts"] == 2
    assert done.path.read_bytes() == joined(files)


async def test_what_waits_for_its_place_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lengths are not told, and the first segment comes last."""
    most = 0

    class Watched(Place):
        def __setattr__(self, name: str, value: object) -> None:
            nonlocal most
            if name == "held_bytes" and isinstance(value, int):
                most = max(most, value)
            super().__setattr__(name, value)

    budget = 2 << 20
    monkeypatch.setattr(track, "Place", Watched)
    monkeypatch.setattr(crew, "HELD_BYTES", budget)
    monkeypatch.setattr(flight, "HELD_BYTES", budget)
    files = clear(60, size=1500)
    async with VodServer(files) as vod:
        vod.faults = {name: Faults(chunked=True) for name in files if name.endswith(".ts")}
        hold = vod.faults["/0.ts"].hold = Hold(None)

        vod.watch = lambda: hold.release() if vod.total > budget * 3 // 4 else None
        done = await download(vod.url("/film.m3u8"), tmp_path)
    assert done.path.read_bytes() == joined(files)
    assert budget // 2 < most < 2 * budget


async def test_a_disk_that_fills_stops_it_and_it_goes_on_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, real, room = clear(40), os.pwrite, 0

    def pwrite(fd: int, data: bytes, at: int) -> int:
        if at > room:
            raise OSError(errno.ENOSPC, "no space left on device")
        return real(fd, data, at)

    room = len(joined(files)) // 2
    monkeypatch.setattr(file.os, "pwrite", pwrite)
    async with VodServer(files) as vod:
        with pytest.raises(DiskFull):
            await download(vod.url("/film.m3u8"), tmp_path)
        monkeypatch.undo()
        held = ledger.read((tmp_path / "film.ledger").read_bytes())
        assert held.chunks
        vod.forget()
        done = await download(vod.url("/film.m3u8"), tmp_path)
        assert not {f"/{chunk.index}.ts" for chunk in held.chunks} & {*vod.asked}
    assert done.path.read_bytes() == joined(files)
