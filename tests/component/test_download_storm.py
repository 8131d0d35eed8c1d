"""All that can go wrong at once, by chance: other holes and faults in each of three calls; in the end it is the concatenation.

After each call the file is what its ledger says, and nothing that was whole is asked for again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tests.component.test_download_engine import padded
from tests.downloaded import HASTE, KEY, download, packets, playlist

from ouzel.base.errors import OuzelError
from ouzel.model import ledger
from ouzel.testing.vod import Faults, VodServer

pytestmark = pytest.mark.anyio
CALLS = 3


def fault(chance: Random, *, locked: bool) -> Faults:
    faults = [
        Faults(),
        Faults(chunked=True),
        Faults(slow_bps=500_000, slow=1, chunked=chance.random() < 0.5),
        Faults(answers=[500]),
        Faults(resets=chance.randrange(1, 3), reset_at=chance.randrange(1, 60_000)),
    ]
    if not locked:
        faults += [Faults(gzip=True), Faults(front=b"\x89PNG\r\n\x1a\n" + bytes(60))]
    return chance.choice(faults)


def made(chance: Random, *, locked: bool) -> list[bytes]:
    """Some with a few bytes more than whole packets, so that an encrypted length is foreseen wrongly."""
    most = [chance.choice([30, 400, 2000]) for _ in range(chance.randrange(4, 26))]
    parts = [packets(chance.randrange(4, count), chance.getrandbits(32)) for count in most]
    return [part + b"\x47" * (chance.randrange(15) if locked and chance.random() < 0.15 else 0) for part in parts]


@pytest.mark.parametrize("seed", [6, 9, 14, 26, 40, 54, 66, 79])
async def test_in_the_end_it_is_the_concatenation(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    locked = chance.random() < 0.5
    parts = made(chance, locked=locked)
    files = {f"/{number}.ts": padded(part, number) if locked else part for number, part in enumerate(parts)}
    head = '#EXT-X-KEY:METHOD=AES-128,URI="key"' if locked else ""
    listed = playlist([f"{number}.ts" for number in range(len(parts))], head=head)
    book, film = tmp_path / "film.ledger", tmp_path / "film.ts"
    there: set[int] = set()
    async with VodServer({**files, "/key": KEY, "/film.m3u8": listed}) as vod:
        for call in range(CALLS):
            vod.faults = {f"/{number}.ts": fault(chance, locked=locked) for number in range(len(parts))}
            for number in range(1, len(parts)) if call < CALLS - 1 else ():
                if chance.random() < 0.4:
                    gone = Faults(answers=[404] * 40) if chance.random() < 0.6 else Faults(longer=100)
                    vod.faults[f"/{number}.ts"] = gone
            vod.forget()
            with suppress(*([OuzelError] if call < CALLS - 1 else [])):
                await download(vod.url("/film.m3u8"), tmp_path, pace=replace(HASTE, retries=5))
            assert not {f"/{number}.ts" for number in there} & {*vod.asked}
            media = film.read_bytes()
            chunks = ledger.read(book.read_bytes()).chunks
            for chunk in chunks:
                assert media[chunk.offset : chunk.offset + chunk.length] == parts[chunk.index], f"{call}: {chunk.index}"
            there = {chunk.index for chunk in chunks}
    assert film.read_bytes() == b"".join(parts)
