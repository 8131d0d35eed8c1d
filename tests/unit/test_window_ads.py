"""Advertisements in the place of the show, in the shape in which Twitch marks them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ouzel.formats.m3u8 import MediaPlaylist, parse
from ouzel.model.flow import GapCode
from ouzel.model.window import Fetch, Missed, Window

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
TWITCH = "#EXT-X-TWITCH-LIVE-SEQUENCE:1\n#EXT-X-TWITCH-ELAPSED-SECS:100.0\n#EXT-X-TWITCH-TOTAL-SECS:130.0"
STITCHED = (
    '#EXT-X-DATERANGE:ID="stitched-ad-1714564804-4004000000",CLASS="twitch-stitched-ad",START-DATE="2024-05-01T12:00:04.000Z",'
    'DURATION=4.004,X-TV-TWITCH-AD-URL="https://example.com/",X-TV-TWITCH-AD-ROLL-TYPE="MIDROLL",X-TV-TWITCH-AD-POD-LENGTH="1",'
    'X-TV-TWITCH-AD-POD-POSITION="0"'
)


def twitch(first: int, titles: list[str], *head: str, tail: str = "", dates: bool = True) -> MediaPlaylist:
    """Segments of 2 s with these titles; number 0 is on air at noon."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:6", f"#EXT-X-MEDIA-SEQUENCE:{first}", *head]
    for number, title in enumerate(titles, first):
        at = NOON + timedelta(seconds=2 * number)
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat()}"] if dates else []
        lines += [f"#EXTINF:2.000,{title}", f"https://video-edge.example/v1/segment/{number}.ts"]
    parsed = parse("\n".join([*lines, *tail.splitlines()]), base_url="https://video-weaver.example/index.m3u8")
    assert isinstance(parsed, MediaPlaylist)
    return parsed


def told(playlist: MediaPlaylist, window: Window | None = None) -> list[object]:
    plan = (window or Window(from_start=True)).advance(playlist)
    return [each.number if isinstance(each, Fetch) else each for each in plan.actions]


BREAK = Missed(2, 2, 2, 4.0, GapCode.ADVERTISEMENT)


@pytest.mark.parametrize(
    ("head", "titles", "dates"),
    [
        ((STITCHED,), ["", "", "", "", ""], True),
        ((STITCHED,), ["live", "live", "Amazon|88", "Amazon|88", "live"], False),
        ((TWITCH,), ["live", "live", "Amazon", "Amazon|88", "live"], False),
        ((TWITCH, STITCHED.replace('CLASS="twitch-stitched-ad",', "")), ["live"] * 5, True),
        ((TWITCH, STITCHED.replace("DURATION=4.004", 'END-DATE="2024-05-01T12:00:08.004Z"')), ["live"] * 5, True),
    ],
)
def test_what_is_marked_is_left_out(head: tuple[str, ...], titles: list[str], dates: bool) -> None:
    assert told(twitch(0, titles, *head, dates=dates)) == [0, 1, BREAK, 4]
    kept = told(twitch(0, titles, *head, dates=dates), Window(from_start=True, keep_ads=True))
    assert kept == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ((), "Amazon"),  # not of Twitch: a show about a river
        ((TWITCH,), "Amazonas"),
        ((STITCHED.replace("twitch-stitched-ad", "twitch-stream-source").replace("stitched-ad-", "source-"),), "live"),
        ((STITCHED.replace("DURATION=4.004,", ""),), "live"),
        (
            (
                TWITCH,
                '#EXT-X-DATERANGE:ID="ad-break",CLASS="com.example.ad",START-DATE="2024-05-01T12:00:04Z",DURATION=4',
            ),
            "",
        ),
    ],
)
def test_what_the_stream_does_not_call_an_advertisement_is_kept(head: tuple[str, ...], title: str) -> None:
    assert told(twitch(0, [title] * 5, *head)) == [0, 1, 2, 3, 4]


def test_a_break_that_slides_through_the_window_is_told_once_piece_by_piece() -> None:
    window = Window(from_start=True)
    first = told(twitch(0, ["live", "live", "Amazon|1"], TWITCH, STITCHED), window)
    then = told(twitch(1, ["live", "Amazon|1", "Amazon|1", "live"], TWITCH, STITCHED), window)
    assert first == [0, 1, Missed(2, 2, 1, 2.0, GapCode.ADVERTISEMENT)]
    assert then == [Missed(3, 3, 1, 2.0, GapCode.ADVERTISEMENT), 4]


def test_what_follows_does_not_continue_what_came_before() -> None:
    plan = Window(from_start=True).advance(twitch(0, ["live", "live", "Amazon", "Amazon", "live"], TWITCH))
    assert [each.expected for each in plan.fetches] == ["continuous", "continuous", "spliced"]


def test_a_gap_beside_an_advertisement_is_a_gap_by_itself() -> None:
    titles = ["live", "Amazon|1", "x\n#EXT-X-GAP", "live"]
    parsed = told(twitch(0, titles, TWITCH))
    assert parsed[1:] == [
        Missed(1, 1, 1, 2.0, GapCode.ADVERTISEMENT),
        Missed(2, 2, 1, 2.0, GapCode.LISTED_GAP),
        3,
    ]


def test_what_may_be_fetched_before_it_is_listed_does_no_harm() -> None:
    prefetch = "#EXT-X-TWITCH-PREFETCH:https://video-edge.example/v1/segment/3.ts\n" * 2
    window = Window(from_start=True)
    assert told(twitch(0, ["live"] * 3, TWITCH, tail=prefetch), window) == [0, 1, 2]
    assert told(twitch(1, ["live"] * 3, TWITCH, tail=prefetch), window) == [3]
