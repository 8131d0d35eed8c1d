"""Media playlists: every tag, and what the field writes instead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ouzel.formats.m3u8 import (
    ByteRange,
    DateRange,
    Key,
    Limits,
    MediaPlaylist,
    Part,
    PreloadHint,
    RenditionReport,
    ServerControl,
    Skip,
    parse,
)

DATA = Path(__file__).parents[1] / "data" / "m3u8"
URL = "https://cdn.example.com/live/index.m3u8?token=T0k"
FOLDER = "https://cdn.example.com/live/"


def media(text: bytes | str, *, limits: Limits | None = None) -> MediaPlaylist:
    playlist = parse(text, base_url=URL, limits=limits or Limits())
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def listed(*lines: str) -> MediaPlaylist:
    """A playlist of these lines after a sound header."""
    return media("\n".join(("#EXTM3U", "#EXT-X-TARGETDURATION:4", *lines)))


def codes(playlist: MediaPlaylist) -> list[str]:
    return [warning.code for warning in playlist.warnings]


def test_a_live_playlist() -> None:
    playlist = media((DATA / "live.m3u8").read_bytes())

    assert (playlist.version, playlist.target_duration_s, playlist.media_sequence) == (3, 2.0, 1041)
    assert [segment.media_sequence for segment in playlist.segments] == [1041, 1042, 1043]
    assert [segment.duration_s for segment in playlist.segments] == [2.0, 2.002, 1.968]
    assert playlist.segments[0].uri == FOLDER + "chunk_1041.ts?token=a1"
    assert not playlist.end_list
    assert playlist.duration_s == pytest.approx(5.97)
    assert playlist.warnings == ()


def test_keys_rotate_and_the_identity_one_decrypts() -> None:
    clear, hexed, several = (media((DATA / "vod_keys.m3u8").read_bytes()).segments[at] for at in (3, 1, 2))
    first = media((DATA / "vod_keys.m3u8").read_bytes()).segments[0]

    assert first.key == Key("AES-128", FOLDER + "key1.bin")
    assert first.iv == (7).to_bytes(16, "big")  # implied by the media sequence number
    assert first.title == "clear title, with a comma"
    assert hexed.iv == (15).to_bytes(16, "big")  # 0X0F
    assert [key.keyformat for key in several.keys] == ["identity", "com.apple.streamingkeydelivery"]
    assert several.key is several.keys[0]
    assert several.key.uri == "data:text/plain;base64,AAECAwQFBgcICQoLDA0ODw=="
    assert (clear.key, clear.iv) == (None, None)
    assert clear.keys == (Key("NONE"),)


def test_a_segment_under_drm_only_does_not_look_clear() -> None:
    playlist = listed('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",KEYFORMAT="com.example.drm"', "#EXTINF:4,", "a.ts")
    key = playlist.segments[0].key
    assert key is not None
    assert (key.method, key.keyformat) == ("SAMPLE-AES", "com.example.drm")


def test_a_key_counts_for_a_map_only_when_it_stands_before_it() -> None:
    playlist = media((DATA / "fmp4_maps.m3u8").read_bytes())
    first, second = playlist.segments[:2]

    assert first.map is not None
    assert second.map is not None
    assert (first.map.key, first.map.iv) == (None, None)
    assert first.key is not None
    assert second.map.key == first.key
    assert second.map.iv == (1).to_bytes(16, "big")
    assert second.map.byte_range == ByteRange(100, 720)
    assert (second.discontinuity, second.discontinuity_sequence) == (True, 1)
    assert playlist.segments[2].map is second.map


def test_an_encrypted_map_without_iv_is_told() -> None:
    playlist = listed('#EXT-X-KEY:METHOD=AES-128,URI="k"', '#EXT-X-MAP:URI="m"', "#EXTINF:4,", "a.m4s")
    assert codes(playlist) == ["map_without_iv"]
    assert playlist.segments[0].map is not None
    assert playlist.segments[0].map.iv == bytes(16)


def test_byte_ranges_continue_only_in_the_same_resource() -> None:
    playlist = media((DATA / "fmp4_maps.m3u8").read_bytes())
    assert playlist.segments[2].byte_range == ByteRange(820, 1000)
    assert playlist.segments[3].byte_range == ByteRange(1820, 500)

    other = listed("#EXTINF:4,", "#EXT-X-BYTERANGE:10@5", "a", "#EXTINF:4,", "#EXT-X-BYTERANGE:10", "b")
    assert other.segments[1].byte_range == ByteRange(0, 10)
    assert codes(other) == ["byte_range"]

    whole_between = listed(
        *("#EXTINF:4,", "#EXT-X-BYTERANGE:10@5", "a", "#EXTINF:4,", "a", "#EXTINF:4,", "#EXT-X-BYTERANGE:10", "a")
    )
    assert whole_between.segments[2].byte_range == ByteRange(0, 10)
    assert codes(whole_between) == ["byte_range"]


def test_gap_and_bit_rate() -> None:
    playlist = media((DATA / "fmp4_maps.m3u8").read_bytes())
    assert [segment.gap for segment in playlist.segments] == [False, False, False, False, True, False]
    assert [segment.bitrate_bps for segment in playlist.segments] == [None, None, None, None, None, 4_200_000]

    ranged = listed("#EXT-X-BITRATE:100", "#EXT-X-BYTERANGE:10@0", "#EXTINF:4,", "a", "#EXTINF:4,", "b")
    assert [segment.bitrate_bps for segment in ranged.segments] == [None, 100_000]


def test_low_latency_tags() -> None:
    playlist = media((DATA / "low_latency.m3u8").read_bytes())

    assert playlist.server_control == ServerControl(24.0, False, 13.5, 1.5, True)
    assert playlist.part_target_s == 0.5
    assert playlist.segments[1].parts == (
        Part(FOLDER + "f32.mp4", 0.5, independent=True, byte_range=ByteRange(0, 1000)),
        Part(FOLDER + "f32.mp4", 0.5, byte_range=ByteRange(1000, 900)),
        Part(FOLDER + "f32c.mp4", 0.5, gap=True),
    )
    assert playlist.preload_hints == (PreloadHint("PART", FOLDER + "f33.1.mp4", offset=12),)
    report = RenditionReport("https://cdn.example.com/low/index.m3u8", last_msn=33, last_part=0)
    assert playlist.rendition_reports == (report,)

    following = playlist.open_segment
    assert following is not None
    assert (following.uri, following.media_sequence) == ("", 33)
    assert (following.discontinuity, following.discontinuity_sequence) == (True, 3)
    assert following.map is playlist.segments[1].map
    assert playlist.parts == following.parts == (Part(FOLDER + "f33.0.mp4", 0.5, independent=True),)


def test_a_delta_update() -> None:
    playlist = media((DATA / "delta.m3u8").read_bytes())
    assert playlist.skip == Skip(3, ("ad-1", "ad-2"))
    assert playlist.media_sequence == 100
    assert [segment.media_sequence for segment in playlist.segments] == [103, 104]
    (date_range,) = playlist.date_ranges
    assert date_range == DateRange(
        "ad-3",
        "ads",
        datetime(2024, 5, 1, 10, tzinfo=UTC),
        planned_duration_s=30.0,
        extra=(("X-COM-EXAMPLE", '"a,b"'), ("SCTE35-OUT", "0xFC00")),
    )


def test_the_wall_clock_runs_on_and_back_from_a_program_date_time() -> None:
    playlist = listed(
        *("#EXTINF:4,", "a", "#EXTINF:3.5,", "b"),
        *("#EXT-X-PROGRAM-DATE-TIME:2024-05-01T12:00:00.500+02:00", "#EXTINF:4,", "c", "#EXTINF:4,", "d"),
    )
    noon = datetime(2024, 5, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    assert [segment.program_date_time for segment in playlist.segments] == [None, None, noon, None]
    offsets = [segment.starts_at - noon for segment in playlist.segments if segment.starts_at]
    assert offsets == [timedelta(seconds=s) for s in (-7.5, -3.5, 0, 4)]
    assert playlist.segments[2].starts_at is not None
    assert playlist.segments[2].starts_at.tzinfo is UTC


def test_a_date_without_zone_is_utc() -> None:
    playlist = listed("#EXT-X-PROGRAM-DATE-TIME:2024-05-01 12:00:00", "#EXTINF:4,", "a")
    assert playlist.segments[0].program_date_time == datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("date", ["yesterday", "", "2024-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_an_impossible_date_is_set_aside(date: str) -> None:
    playlist = listed(f"#EXT-X-PROGRAM-DATE-TIME:{date}", "#EXTINF:4,", "a")
    assert codes(playlist) == ["program_date_time"]
    assert playlist.segments[0].starts_at is None
    assert f"#EXT-X-PROGRAM-DATE-TIME:{date}" in playlist.tags  # kept as written


def test_the_clock_stops_at_the_end_of_time() -> None:
    playlist = listed("#EXT-X-PROGRAM-DATE-TIME:9999-12-31T23:59:58Z", "#EXTINF:4,", "a", "#EXTINF:4,", "b")
    assert playlist.segments[1].starts_at is None


def test_unknown_tags_stay_where_they_stood() -> None:
    playlist = media((DATA / "cues.m3u8").read_bytes())
    assert playlist.tags == ("#EXT-X-ALLOW-CACHE:NO", "#EXT-X-TWITCH-ELAPSED-SECS:12.5")
    assert [segment.tags for segment in playlist.segments] == [
        ("#EXT-X-CUE-OUT:30",),
        (
            "#EXT-X-CUE-OUT-CONT:ElapsedTime=8,Duration=30",
            "#EXT-OATCLS-SCTE35:/DAlAAAAAAAAAP/wFAUAAAABf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=",
        ),
        ("#EXT-X-CUE-IN",),
    ]
    assert playlist.open_segment is not None
    assert playlist.open_segment.tags == ("#EXT-X-TWITCH-PREFETCH:https://edge.example.net/4.ts",)


def test_discontinuities_are_counted_from_what_is_stated() -> None:
    playlist = media((DATA / "two_discontinuities.m3u8").read_bytes())
    assert playlist.discontinuity_sequence == 5
    assert [segment.discontinuity_sequence for segment in playlist.segments] == [7, 7]
    assert [segment.discontinuity for segment in playlist.segments] == [True, False]


def test_discontinuity_sequence_is_not_taken_for_a_discontinuity() -> None:
    playlist = listed("#EXT-X-DISCONTINUITY-SEQUENCE:3", "#EXTINF:4,", "a")
    assert not playlist.segments[0].discontinuity


@pytest.mark.parametrize("name", ["crlf", "cr"])
def test_every_line_end(name: str) -> None:
    playlist = media((DATA / f"{name}.m3u8").read_bytes())
    assert [segment.uri for segment in playlist.segments] == [FOLDER + "a.ts", FOLDER + "b.ts"]
    assert [segment.title for segment in playlist.segments] == ["", ""]


def test_a_byte_order_mark_is_overlooked_with_a_warning() -> None:
    playlist = media((DATA / "bom.m3u8").read_bytes())
    assert playlist.segments[0].title == "直播"
    assert codes(playlist) == ["byte_order_mark"]


def test_what_is_not_utf_8_is_latin_1() -> None:
    playlist = media((DATA / "latin1.m3u8").read_bytes())
    assert playlist.segments[0].title == "café"
    assert codes(playlist) == ["encoding"]


def test_oddities_are_read_and_told() -> None:
    playlist = media((DATA / "odd.m3u8").read_bytes())

    assert playlist.target_duration_s == 4.5
    assert (playlist.playlist_type, playlist.version, playlist.end_list) == (None, None, True)
    assert [segment.duration_s for segment in playlist.segments] == [4.5, 4.5, 4.5, 0.0, 4.5, 4.5, 1000.0, 4.0]
    assert [segment.title for segment in playlist.segments][:5] == ["", "negative", "abc,unreadable", "", ""]
    assert playlist.segments[0].uri == FOLDER + "a.ts"
    assert playlist.segments[0].iv == (255).to_bytes(16, "big")
    assert [segment.media_sequence for segment in playlist.segments] == list(range(60, 68))
    assert playlist.segments[6].tags == ()
    assert playlist.segments[5].tags == (
        "#EXT-X-PROGRAM-DATE-TIME:yesterday",
        '#EXT-X-DATERANGE:CLASS="no id"',
        '#EXT-X-PART:DURATION=x,URI="p"',
    )
    assert set(codes(playlist)) == {
        *("late_extm3u", "version", "playlist_type", "duration", "missing_extinf", "program_date_time", "date_range"),
        *("part", "master_tag", "discontinuity_sequence", "media_sequence", "repeated_tag"),
    }
    assert [warning.line for warning in playlist.warnings if warning.code == "version"] == [3]


@pytest.mark.parametrize(
    ("value", "number"),
    [("", 0), ("x", 0), ("-11", -11), ("18446744073709551615", 2**64 - 1), ("1" * 5000, 0), (" 7 ", 7)],
)
def test_media_sequence_as_the_field_writes_it(value: str, number: int) -> None:
    playlist = listed(f"#EXT-X-MEDIA-SEQUENCE:{value}", '#EXT-X-KEY:METHOD=AES-128,URI="k"', "#EXTINF:4,", "a")
    assert playlist.segments[0].media_sequence == number
    iv = playlist.segments[0].iv
    assert iv is not None
    assert int.from_bytes(iv, "big") == number % 2**128


def test_a_late_media_sequence_counts_for_all_segments() -> None:
    playlist = media((DATA / "late_sequence.m3u8").read_bytes())
    assert [segment.media_sequence for segment in playlist.segments] == [9, 10]
    assert codes(playlist) == ["media_sequence"]


def test_without_a_target_duration_the_longest_segment_stands_in() -> None:
    playlist = media((DATA / "no_target.m3u8").read_bytes())
    assert playlist.target_duration_s == 6.1
    assert codes(playlist) == ["no_target_duration"]


def test_a_header_alone_is_a_playlist_without_segments() -> None:
    playlist = media((DATA / "header_only.m3u8").read_bytes())
    assert playlist.segments == ()
    assert playlist.target_duration_s > 0


@pytest.mark.parametrize("value", ["0", "-4", "nan", "inf", "1e400", "x", ""])
def test_target_duration_is_positive_whatever_is_written(value: str) -> None:
    playlist = media(f"#EXTM3U\n#EXT-X-TARGETDURATION:{value}\n#EXTINF:3,\na\n")
    assert playlist.target_duration_s == 3.0


@pytest.mark.parametrize("value", ["-2", "nan", "inf", "-inf", "1e300", "x", "1,5"])
def test_durations_are_never_absurd(value: str) -> None:
    segment = listed(f"#EXTINF:{value},", "a").segments[0]
    assert 0 <= segment.duration_s <= 4


def test_warnings_are_counted_when_there_are_too_many() -> None:
    playlist = media("#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + "#EXTINF:x,\na\n" * 10, limits=Limits(warnings=3))
    assert codes(playlist) == ["duration", "duration", "duration", "more_warnings"]
    assert playlist.warnings[-1].text == "and 7 more"
