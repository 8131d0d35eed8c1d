"""A plain file that is another one by the time that its download goes on: parts of two are no file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.downloaded import HASTE, download, downloading

from ouzel.base.errors import Incomplete, OutputExists
from ouzel.cli.texts.sentences import in_chinese
from ouzel.model import pieces
from ouzel.model.downloads import DownloadWish
from ouzel.testing.vod import Faults, VodServer

pytestmark = pytest.mark.anyio
MONDAY, TUESDAY = "Mon, 23 Nov 2026 10:00:00 GMT", "Tue, 24 Nov 2026 10:00:00 GMT"
SIZE = 300_000


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "RANGE_BYTES", 64 * 1024)


def film(seed: int, size: int = SIZE) -> bytes:
    return b"\x00\x00\x00\x18ftyp" + random.Random(seed).randbytes(size - 8)


class Replaced(dict[str, Faults]):
    """The file is another one behind so many answers."""

    def __init__(self, vod: VodServer, answers: int, *, modified: str) -> None:
        super().__init__()
        self._vod = vod
        self._answers = answers
        self._modified = modified

    def get(self, path: str, default: object = None) -> Faults:
        self._answers -= 1
        if self._answers < 0:
            self._vod.files[path] = film(2)
        return Faults(modified=MONDAY if self._answers >= 0 else self._modified)


@pytest.mark.parametrize(("modified", "size"), [(TUESDAY, SIZE), ("", SIZE + 1)])
async def test_another_file_is_not_mixed_in(tmp_path: Path, modified: str, size: int) -> None:
    before, after = film(1), film(2, size)
    async with VodServer({"/show.mp4": before}) as vod, downloading() as downloader:
        wish = DownloadWish(vod.url("/show.mp4"), tmp_path, pace=HASTE)
        vod.faults["/show.mp4"] = Faults(modified=MONDAY if modified else "")
        assert (await downloader.run(wish, on_progress=lambda _progress: None)).path.read_bytes() == before
        ledger = tmp_path / "show.ledger"
        lines = [line for line in ledger.read_bytes().splitlines(keepends=True) if b'"k":"end"' not in line]
        ledger.write_bytes(b"".join(lines[:-2]))
        (tmp_path / "show.mp4").rename(tmp_path / "show.mp4.part")  # as a kill leaves it
        vod.files["/show.mp4"], vod.faults["/show.mp4"] = after, Faults(modified=modified)
        done = await downloader.run(wish, on_progress=lambda _progress: None)
        assert (done.path.name, done.path.read_bytes()) == ("show_2.mp4", after)
        with pytest.raises(OutputExists, match="of another file"):
            await download(vod.url("/show.mp4"), tmp_path, stem="show")
        vod.files["/show.mp4"], vod.faults["/show.mp4"] = before, Faults(modified=MONDAY if modified else "")
        vod.forget()
        done = await download(vod.url("/show.mp4"), tmp_path, stem="show")
        assert done.path.read_bytes() == before
        assert 0 < done.fetched_bytes < len(before), "what was there of it is not fetched again"


async def test_a_file_that_is_replaced_meanwhile_is_not_whole(tmp_path: Path) -> None:
    async with VodServer({"/show.mp4": film(1)}) as vod:
        vod.faults = Replaced(vod, 4, modified=TUESDAY)
        with pytest.raises(Incomplete, match="another file at the address") as told:
            await download(vod.url("/show.mp4"), tmp_path)
    assert "该地址现在是另一个文件" in (in_chinese(told.value.message) or "")
    (part,) = tmp_path.glob("*.mp4")  # noqa: ASYNC240
    data = part.read_bytes()
    kept = [at for at in range(0, len(data) - 64, 4096) if data[at : at + 64] == film(1)[at : at + 64]]
    assert kept
    assert not any(data[at : at + 64] == film(2)[at : at + 64] for at in range(4096, len(data) - 64, 4096))
