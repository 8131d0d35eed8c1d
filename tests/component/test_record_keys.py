"""Encrypted segments whose key is not the one that they were encrypted with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ouzel.model.flow import EndReason
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Aes, Hls, LiveOrigin

if TYPE_CHECKING:
    from conftest import Studio

pytestmark = pytest.mark.anyio
SEGMENTS = 6
FLAVOURS = {"ts": Hls(aes=Aes(rotate_every=2)), "mp4": Hls(container="mp4", aes=Aes(rotate_every=2))}
OTHER = bytes(range(16))


def vod(hls: Hls) -> Hls:
    return Hls(hls.container, aes=hls.aes, playlist_type="VOD", window=0)


@pytest.mark.parametrize("hls", FLAVOURS.values(), ids=FLAVOURS)
async def test_a_wrong_key_is_told_as_such(record: Studio, clip: Clip, hls: Hls) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=vod(hls)).push(SEGMENTS).end()
        origin.on("key1.bin").body(OTHER)
        kept = await record(show.url)
    assert kept.numbers == [0, 1, 4, 5]
    assert [(code, missing) for code, missing in kept.gaps] == [("segment_bad", 2.0)]
    assert "not_decrypted" in kept.report.gaps[0].why
    assert kept.report.end_reason is EndReason.ENDED


@pytest.mark.parametrize("hls", FLAVOURS.values(), ids=FLAVOURS)
async def test_a_key_that_was_wrong_at_first_is_asked_for_again(record: Studio, clip: Clip, hls: Hls) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=vod(hls)).push(SEGMENTS).end()
        origin.on("key1.bin").body(OTHER, times=1)
        kept = await record(show.url)
        assert origin.hits("key1.bin") == 2
    assert kept.numbers == list(range(SEGMENTS))
    assert kept.gaps == []


async def test_with_wrong_keys_only_nothing_is_recorded(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=vod(Hls(aes=Aes()))).push(SEGMENTS).end()
        origin.on("key0.bin").body(OTHER)
        kept = await record(show.url)
    assert kept.report.end_reason is EndReason.NEVER_STARTED
    assert kept.report.error is not None
    assert kept.report.error[0] == "not_decrypted"
    assert not kept.folder.exists()
