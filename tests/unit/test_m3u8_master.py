"""Master playlists."""

from __future__ import annotations

from pathlib import Path

from ouzel.formats.m3u8 import ContentSteering, Key, MasterPlaylist, Rendition, SessionData, parse

DATA = Path(__file__).parents[1] / "data" / "m3u8"
URL = "https://cdn.example.com/show/master.m3u8"
FOLDER = "https://cdn.example.com/show/"


def master(text: bytes | str) -> MasterPlaylist:
    playlist = parse(text, base_url=URL)
    assert isinstance(playlist, MasterPlaylist)
    return playlist


def codes(playlist: MasterPlaylist) -> list[str]:
    return [warning.code for warning in playlist.warnings]


def test_variants_and_renditions() -> None:
    playlist = master((DATA / "master.m3u8").read_bytes())
    high, low, sound = playlist.variants

    assert (high.bandwidth_bps, high.average_bandwidth_bps, high.resolution) == (6_000_000, 5_000_000, (1920, 1080))
    assert (high.frame_rate, high.codecs, high.audio, high.subtitles) == (59.94, "avc1.64002a,mp4a.40.2", "aac", "subs")
    assert (high.video_range, high.hdcp_level, high.pathway_id, high.stable_variant_id) == (
        "SDR",
        "NONE",
        "CDN-A",
        "v1",
    )
    assert high.uri == FOLDER + "1080p60/index.m3u8"
    assert (low.name, low.score, low.closed_captions, low.extra) == ("720p", 2.5, "NONE", (("PROGRAM-ID", "1"),))
    assert (sound.resolution, sound.audio) == (None, None)
    (i_frames,) = playlist.i_frame_variants
    assert (i_frames.uri, i_frames.i_frames_only) == (FOLDER + "iframes.m3u8", True)

    english, german = playlist.group("AUDIO", "aac")
    assert english == Rendition(
        *("AUDIO", "aac", "English"),
        uri=FOLDER + "en/index.m3u8",
        language="en",
        default=True,
        autoselect=True,
        channels="2",
    )
    assert not german.default
    assert playlist.group("CLOSED-CAPTIONS", "cc")[0].uri is None
    assert playlist.group("AUDIO", None) == ()

    assert playlist.independent_segments
    assert playlist.session_data == (SessionData("com.example.title", "A title", language="en"),)
    assert playlist.session_keys == (Key("AES-128", FOLDER + "key.bin"),)
    assert playlist.content_steering == ContentSteering("https://cdn.example.com/steer?video=1", "CDN-A")
    assert playlist.warnings == ()


def test_nothing_but_session_data_is_legal() -> None:
    playlist = master((DATA / "session_data_only.m3u8").read_bytes())
    assert playlist.variants == ()
    assert [each.data_id for each in playlist.session_data] == ["com.example.lyrics", "com.example.title"]
    assert playlist.warnings == ()


def test_broken_attribute_lists() -> None:
    playlist = master((DATA / "unclosed_quote.m3u8").read_bytes())
    first, second = playlist.variants
    assert (first.bandwidth_bps, first.codecs, first.audio, first.name) == (1, "avc1", "a", "x y")
    assert first.extra == (("X", "bc"), ("RESOLUTION", "axb"))
    assert (second.bandwidth_bps, second.extra) == (0, (("BANDWIDTH", "-2"),))
    assert set(codes(playlist)) == {
        *("attribute_list", "attribute_value", "stream_inf_without_uri", "media_type", "uri_without_stream_inf"),
    }
    assert playlist.tags == ("#EXT-X-STREAM-INF", "#EXT-X-FOO", "#EXT-X-MEDIA:TYPE=ODD")


def test_a_media_tag_in_a_master_playlist_is_told() -> None:
    playlist = master("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n#EXT-X-ENDLIST\n")
    assert len(playlist.variants) == 1
    assert codes(playlist) == ["media_tag", "media_tag"]
