"""Reading the same playlist again: delta updates, and lists that only grow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ouzel.base.errors import FormatError
from ouzel.formats.m3u8 import Follower, MediaPlaylist, complete, parse

URL = "https://cdn.example.com/live/index.m3u8"
HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"


def media(text: str) -> MediaPlaylist:
    playlist = parse(HEAD + text, base_url=URL)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def segments(first: int, count: int) -> str:
    return "".join(f"#EXTINF:4,\n{number}.ts\n" for number in range(first, first + count))


BEFORE = (
    "#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"
    '#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0x1\n#EXT-X-MAP:URI="m1"\n#EXT-X-BITRATE:100\n'
    "#EXT-X-PROGRAM-DATE-TIME:2024-01-01T00:00:00Z\n"
    '#EXT-X-DATERANGE:ID="old",START-DATE="2024-01-01T00:00:00Z"\n'
    f"{segments(10, 2)}#EXT-X-DISCONTINUITY\n{segments(12, 3)}"
)


def test_a_delta_update_is_completed_with_what_stays_in_force() -> None:
    skipped = "#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n"
    header = "#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"
    delta = media(f"{header}{skipped}{segments(14, 2)}#EXT-X-DISCONTINUITY\n#EXT-X-PART:DURATION=1,URI=p\n")

    whole = complete(delta, media(BEFORE))

    spelt_out = media(f"{BEFORE}{segments(15, 1)}#EXT-X-DISCONTINUITY\n#EXT-X-PART:DURATION=1,URI=p\n")
    assert whole == spelt_out
    assert whole is not None
    last = whole.segments[-1]
    assert (last.discontinuity_sequence, last.bitrate_bps) == (2, 100_000)
    assert last.starts_at == datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=20)
    assert whole.open_segment is not None
    assert whole.open_segment.discontinuity_sequence == 3


def test_what_a_delta_update_says_itself_counts_from_there_on() -> None:
    header = "#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n"
    drm = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",KEYFORMAT="drm"\n'
    ends = '#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:URI="m2"\n#EXT-X-BITRATE:200\n#EXT-X-PROGRAM-DATE-TIME:2024-02-02T00:00:00Z\n'
    news = f'#EXT-X-MAP:URI="m3"\n{segments(14, 1)}{drm}{segments(15, 1)}{ends}{segments(16, 2)}'

    whole = complete(media(header + news), media(BEFORE))

    assert whole == media(BEFORE.removesuffix(segments(14, 1)) + news)


def test_removed_date_ranges_go() -> None:
    header = '#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-SKIP:SKIPPED-SEGMENTS=4,RECENTLY-REMOVED-DATERANGES="old"\n'
    whole = complete(media(header + segments(14, 1)), media(BEFORE))
    assert whole is not None
    assert whole.date_ranges == ()


def test_a_delta_update_that_fits_nothing_is_not_completed() -> None:
    delta = media(f"#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-SKIP:SKIPPED-SEGMENTS=6\n{segments(16, 1)}")
    assert complete(delta, media(BEFORE)) is None  # it had only five
    assert complete(delta, delta) is None  # itself not whole
    earlier = media(f"#EXT-X-MEDIA-SEQUENCE:8\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n{segments(11, 1)}")
    assert complete(earlier, media(BEFORE)) is None
    whole = media(BEFORE)
    assert complete(whole, whole) is whole


def test_the_same_text_gives_the_same_object() -> None:
    follower = Follower()
    first = follower.parse(HEAD + segments(0, 3), base_url=URL)
    assert follower.parse(HEAD + segments(0, 3), base_url=URL) is first
    assert follower.parse((HEAD + segments(0, 3)).encode(), base_url=URL) == first
    assert follower.parse(HEAD + segments(0, 3), base_url=URL + "?moved") is not first


def test_a_growing_list_is_read_on() -> None:
    follower = Follower()
    key = '#EXT-X-KEY:METHOD=AES-128,URI="k"\n'
    texts = [
        f"{HEAD}{key}{segments(0, 3)}#EXT-X-PART:DURATION=1,URI=p\n",
        f"{HEAD}{key}{segments(0, 5)}#EXT-X-DISCONTINUITY\n",
        f"{HEAD}{key}{segments(0, 5)}#EXT-X-DISCONTINUITY\n{segments(5, 1)}#EXTINF:4,\n6.t",  # cut in the middle of a line
        f"{HEAD}{key}{segments(0, 5)}#EXT-X-DISCONTINUITY\n{segments(5, 3)}#EXT-X-ENDLIST\n",
    ]
    for text in texts:
        read, fresh = follower.parse(text, base_url=URL), parse(text, base_url=URL)
        assert read == fresh
        assert read.warnings == fresh.warnings


def test_a_growing_list_may_need_more_than_it_did_at_first() -> None:
    follower = Follower()
    text = f'{HEAD}#EXT-X-DEFINE:NAME="v",VALUE="x"\n{segments(0, 2)}'
    growing = [text, text + segments(2, 1), text + segments(2, 1) + "#EXTINF:4,\n{$v}.ts\n"]
    read = [follower.parse(each, base_url=URL) for each in growing]
    assert read == [parse(each, base_url=URL) for each in growing]


def test_a_list_that_changes_at_the_top_is_read_afresh() -> None:
    follower = Follower()
    for first in range(5):
        text = f"{HEAD}#EXT-X-MEDIA-SEQUENCE:{first}\n{segments(first, 3)}"
        assert follower.parse(text, base_url=URL) == parse(text, base_url=URL)


def test_an_error_in_between_is_forgotten() -> None:
    follower = Follower()
    text = HEAD + segments(0, 3)
    follower.parse(text, base_url=URL)
    follower.parse(text + segments(3, 1), base_url=URL)
    with pytest.raises(FormatError):
        follower.parse(text + segments(3, 1) + "#EXT-X-KEY:\n", base_url=URL)
    assert follower.parse(text + segments(3, 2), base_url=URL) == parse(text + segments(3, 2), base_url=URL)


def test_a_master_playlist_may_be_followed_too() -> None:
    follower = Follower()
    text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n"
    follower.parse(text, base_url=URL)
    longer = text + "#EXT-X-STREAM-INF:BANDWIDTH=2\nw.m3u8\n"
    assert follower.parse(longer, base_url=URL) == parse(longer, base_url=URL)


def test_warnings_have_no_part_in_equality() -> None:
    playlist = media(segments(0, 1))
    assert replace(playlist, warnings=()) == playlist
