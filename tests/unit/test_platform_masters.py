"""A master playlist as streams."""

from __future__ import annotations

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Reply
from ouzel.platforms.contract import Match, Options
from ouzel.platforms.masters import streams_of
from ouzel.platforms.registry import registry

URL = "https://media.example/live/master.m3u8?token=1"


def streams(text: str) -> tuple[Stream, ...]:
    match = Match(registry()["kick"], "https://kick.com/somebody", {"user": "somebody"})
    return streams_of(Reply(200, URL, "", text, {}, {}), match, Options(proxy="http://127.0.0.1:1"), cdn="here")


def test_the_best_comes_first_with_all_that_is_told() -> None:
    low = '#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,FRAME-RATE=30.0,CODECS="avc1.4D401F,mp4a.40.2"\nlow.m3u8\n'
    source = (
        '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="chunked",NAME="1080p60 (source)"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=8000000,RESOLUTION=1080x1920,FRAME-RATE=60.0,CODECS="hvc1.1.6.L123.B0,mp4a.40.2",VIDEO="chunked"\n'
        "https://other.example/source.m3u8\n"
    )
    first, second = streams("#EXTM3U\n" + low + source)
    assert first == Stream(
        "https://other.example/source.m3u8",
        proxy="http://127.0.0.1:1",
        protocol="hls",
        label="1080p60 (source)",
        level="original",
        height=1080,
        fps=60.0,
        bitrate_bps=8000000,
        codec="hevc",
        cdn="here",
    )
    assert (second.url, second.label, second.level) == ("https://media.example/live/low.m3u8", "360p", None)


def test_sound_alone_is_called_so() -> None:
    (sound,) = streams(
        '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=160000,CODECS="mp4a.40.2",STABLE-VARIANT-ID="audio_only"\na.m3u8\n'
    )
    assert (sound.label, sound.level, sound.height) == ("audio_only", "audio", None)


def test_where_the_sound_is_apart_the_address_of_the_master_stays() -> None:
    (apart,) = streams(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="sound",DEFAULT=YES,URI="a.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=8000000,RESOLUTION=1920x1080,AUDIO="a"\nv.m3u8\n'
    )
    assert (apart.url, apart.quality, apart.height) == (URL, "1080p", 1080)


def test_a_media_playlist_is_the_only_stream() -> None:
    (only,) = streams("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.ts\n")
    assert (only.url, only.quality) == (URL, "best")


@pytest.mark.parametrize("text", ["", "<html></html>", "{}"])
def test_anything_else_is_a_change(text: str) -> None:
    with pytest.raises(SiteChanged, match="is no playlist"):
        streams(text)
