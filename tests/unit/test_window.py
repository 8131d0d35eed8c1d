"""The planner, rule by rule. Each playlist here is text, as a server would send it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ouzel.formats.m3u8 import MediaPlaylist, Segment, parse
from ouzel.model.flow import GapCode
from ouzel.model.live_edge import start_index
from ouzel.model.window import Action, Fetch, Missed, NewTimeline, Plan, Refresh, Window, reload_delay

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def playlist(
    first: int | None,
    names: Sequence[str],
    *,
    end: bool = False,
    target: float = 4,
    header: str = "",
    at: datetime | None = None,
    base: str = "https://cdn.example.com/live/index.m3u8",
) -> MediaPlaylist:
    """A list of segments of one target duration each.

    Args:
        first: the media sequence number; None leaves the tag out.
        names: addresses; `*` before one stands for a discontinuity, `!` for a gap.
        at: program date-time of the first.
    """
    lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{target:g}", *header.splitlines()]
    lines += [] if first is None else [f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    lines += [] if at is None else [f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat()}"]
    for name in names:
        lines += ["#EXT-X-DISCONTINUITY"] if name.startswith("*") else []
        lines += ["#EXT-X-GAP"] if name.startswith("!") else []
        lines += [f"#EXTINF:{target:g},", name.lstrip("*!")]
    lines += ["#EXT-X-ENDLIST"] if end else []
    parsed = parse("\n".join(lines), base_url=base)
    assert isinstance(parsed, MediaPlaylist)
    return parsed


def run(first: int, count: int) -> list[str]:
    return [f"{number}.ts" for number in range(first, first + count)]


def live(first: int, count: int, **kwargs: object) -> MediaPlaylist:
    return playlist(first, run(first, count), **kwargs)  # type: ignore[arg-type]


def told(actions: Plan | Sequence[Action]) -> list[str]:
    """In short: `105` fetch, `~105` fetch after a splice, `-105+3` missed, `NEW`, `@105` refresh."""
    result: list[str] = []
    for action in actions.actions if isinstance(actions, Plan) else actions:
        match action:
            case Fetch(segment, expected=expected):
                name = segment.uri.rpartition("/")[2].partition(".ts")[0]
                result.append(f"~{name}" if expected == "spliced" else name)
            case Missed(first_sequence=first, count=count):
                result.append(f"-{first}+{count}")
            case NewTimeline():
                result.append("NEW")
            case Refresh(segment):
                result.append(f"@{segment.media_sequence}")
    return result


def opened(*playlists: MediaPlaylist) -> Window:
    window = Window(from_start=True)
    for each in playlists:
        window.advance(each)
    return window


# ----------------------------------------------------------------------------------------------- the usual


def test_each_segment_is_planned_once() -> None:
    window = Window(from_start=True)
    assert told(window.advance(live(100, 3))) == ["100", "101", "102"]
    assert told(window.advance(live(101, 3))) == ["103"]
    assert told(window.advance(live(101, 3))) == []
    assert told(window.advance(live(104, 3))) == ["104", "105", "106"]


def test_a_window_that_slid_past_us_is_told_and_the_next_is_a_splice() -> None:
    window = opened(live(100, 3))
    plan = window.advance(live(107, 3))
    assert told(plan) == ["-103+4", "~107", "108", "109"]
    assert plan.actions[0] == Missed(103, 103, 4, 16.0, GapCode.WINDOW_SLID)
    assert told(window.advance(live(108, 3))) == ["110"]


def test_what_was_missed_is_measured_by_the_wall_clock_where_it_is_told() -> None:
    window = opened(live(100, 3, at=NOON))
    plan = window.advance(live(107, 3, at=NOON + timedelta(seconds=12 + 17.5)))
    assert isinstance(plan.actions[0], Missed)
    assert plan.actions[0].duration_s == 17.5


def test_a_discontinuity_is_a_splice_but_not_before_the_first_segment() -> None:
    window = Window(from_start=True)
    assert told(window.advance(playlist(5, ["*5.ts", "6.ts", "*7.ts"]))) == ["5", "6", "~7"]
    assert told(window.advance(playlist(6, ["6.ts", "*7.ts", "*8.ts", "9.ts"]))) == ["~8", "9"]


def test_listed_gaps_are_missed_and_never_asked_for() -> None:
    window = Window(from_start=True)
    plan = window.advance(playlist(5, ["5.ts", "!6.ts", "!7.ts", "8.ts", "!9.ts"]))
    assert told(plan) == ["5", "-6+2", "~8", "-9+1"]
    assert plan.actions[1] == Missed(6, 6, 2, 8.0, GapCode.LISTED_GAP)
    assert told(window.advance(playlist(8, ["8.ts", "!9.ts", "10.ts"]))) == ["~10"]


def test_a_playlist_that_stands_still_is_counted() -> None:
    window = Window(from_start=True)
    plans = [window.advance(live(100, 3)) for _ in range(3)]
    plans.append(window.advance(live(101, 3)))
    assert [(plan.changed, plan.unchanged) for plan in plans] == [(True, 0), (False, 1), (False, 2), (True, 0)]


def test_a_new_part_is_a_change_though_there_is_nothing_to_fetch() -> None:
    window = opened(live(100, 3))
    part = "\n#EXT-X-PART:DURATION=1,URI=p.ts"
    parsed = parse(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:102\n#EXTINF:4,\n102.ts" + part, base_url=""
    )
    assert isinstance(parsed, MediaPlaylist)
    assert window.advance(parsed).changed
    assert not window.advance(parsed).changed


def test_the_end_may_be_taken_back() -> None:
    window = Window(from_start=True)
    first = window.advance(live(100, 2, end=True))
    assert (told(first), first.ended) == (["100", "101"], True)
    again = window.advance(live(100, 4))
    assert (told(again), again.ended) == (["102", "103"], False)
    assert window.advance(live(100, 4, end=True)).ended


def test_an_empty_playlist_plans_nothing() -> None:
    window = Window()
    assert window.advance(playlist(0, [])) == Plan()
    assert window.advance(playlist(0, [])).unchanged == 1
    assert told(window.advance(live(0, 1))) == ["0"]
    assert window.advance(playlist(0, [], end=True)).ended


# ------------------------------------------------------------------------------------------ stale and stubborn


def test_a_small_step_back_is_a_stale_edge() -> None:
    window = opened(live(100, 5))
    plan = window.advance(live(98, 5))
    assert (told(plan), plan.stale, plan.changed, plan.unchanged) == ([], True, False, 1)
    assert told(window.advance(live(101, 5))) == ["105"]


def test_a_stale_edge_within_what_was_missed_changes_nothing() -> None:
    window = opened(live(100, 3), live(110, 3))
    assert window.advance(live(105, 3)).stale
    assert told(window.advance(live(111, 3))) == ["113"]


def test_a_far_older_list_is_stale_when_the_wall_clock_says_so() -> None:
    window = opened(live(200, 5, at=NOON))
    for step in range(6):
        old = live(10 + step, 5, at=NOON - timedelta(seconds=(190 - step) * 4))
        assert window.advance(old).stale


def test_a_far_older_list_stays_stale_however_it_grows_when_the_wall_clock_agrees() -> None:
    window = opened(live(0, 60, at=NOON))
    for first in range(2, 12):
        assert window.advance(live(first, 4, at=NOON + timedelta(seconds=first * 4))).stale


def test_numbers_that_begin_again_with_other_addresses_are_a_new_timeline() -> None:
    window = opened(live(100, 5))
    window.advance(live(101, 5))
    plan = window.advance(playlist(0, ["b0.ts", "b1.ts"]))
    assert told(plan) == ["NEW", "~b0", "b1"]
    assert [action.number for action in plan.fetches] == [106, 107]
    assert plan.actions[0] == NewTimeline("the numbers began again", None)
    assert plan.actions[0].reason is GapCode.TIMELINE_RESET
    assert told(window.advance(playlist(1, ["b1.ts", "b2.ts"]))) == ["b2"]


def test_a_small_step_back_with_unknown_addresses_is_a_new_timeline_too() -> None:
    window = opened(live(100, 5), live(101, 5))
    assert told(window.advance(playlist(99, ["b99.ts", "b100.ts", "b101.ts"]))) == ["NEW", "~b99", "b100", "b101"]


def test_the_time_between_two_timelines_is_told_by_the_wall_clock() -> None:
    window = opened(live(100, 5, at=NOON))
    plan = window.advance(playlist(0, ["b0.ts"], at=NOON + timedelta(seconds=50)))
    assert isinstance(plan.actions[0], NewTimeline)
    assert plan.actions[0].missing_s == 30.0


def test_the_same_names_at_another_time_of_day_are_a_new_timeline() -> None:
    window = opened(live(0, 20, at=NOON))
    assert told(window.advance(live(0, 3, at=NOON + timedelta(hours=1)))) == ["NEW", "~0", "1", "2"]


def test_the_same_names_without_a_clock_are_a_new_timeline_when_they_keep_growing() -> None:
    window = opened(live(0, 20), live(18, 4))
    assert window.advance(live(0, 2)).stale
    assert window.advance(live(0, 2)).stale
    assert window.advance(live(1, 3)).stale
    plan = window.advance(live(3, 3))
    assert told(plan) == ["NEW", "~0", "1", "2", "3", "4", "5"]  # with those that were listed meanwhile
    assert told(window.advance(live(4, 3))) == ["6"]


def test_a_short_run_that_begins_again_under_the_same_names() -> None:
    window = opened(live(0, 9))
    assert window.advance(live(0, 2)).stale
    assert window.advance(live(0, 3)).stale
    assert told(window.advance(live(0, 4))) == ["NEW", "~0", "1", "2", "3"]


def test_a_server_that_renumbers_what_is_known_goes_on() -> None:
    window = opened(live(100, 5))
    plan = window.advance(playlist(0, run(102, 5)))
    assert told(plan) == ["105", "106"]
    assert plan.fetches[0].number == 105
    assert plan.fetches[0].segment.media_sequence == 3
    assert told(window.advance(playlist(2, run(104, 6)))) == ["107", "108", "109"]


def test_renumbering_forward_is_no_gap() -> None:
    window = opened(live(100, 5))
    assert told(window.advance(playlist(700, run(102, 5)))) == ["105", "106"]


def test_an_advertisement_that_comes_again_is_not_taken_for_renumbering() -> None:
    window = opened(playlist(100, ["100.ts", "ad1.ts", "ad2.ts"]))
    assert told(window.advance(playlist(110, ["ad2.ts", "111.ts", "112.ts"]))) == ["-103+7", "~ad2", "111", "112"]


def test_a_jump_forward_beyond_all_measure_is_a_new_timeline() -> None:
    window = opened(live(100, 5))
    assert told(window.advance(live(1_714_000_000, 3)))[0] == "NEW"


def test_a_jump_forward_that_the_wall_clock_confirms_is_a_gap() -> None:
    window = opened(live(100, 5, at=NOON))
    plan = window.advance(live(5105, 3, at=NOON + timedelta(seconds=5005 * 4)))
    assert told(plan)[0] == "-105+5000"
    assert isinstance(plan.actions[0], Missed)
    assert plan.actions[0].duration_s == 20_000.0


def test_forward_in_number_but_back_in_time_is_a_new_timeline() -> None:
    window = opened(live(100, 5, at=NOON))
    assert told(window.advance(live(107, 3, at=NOON - timedelta(hours=1))))[0] == "NEW"


# ------------------------------------------------------------------------------------- addresses and no numbers


def test_a_sliding_list_without_numbers_is_matched_by_address() -> None:
    window = Window(from_start=True)
    assert told(window.advance(playlist(None, run(0, 4)))) == ["0", "1", "2", "3"]
    assert told(window.advance(playlist(None, run(1, 4)))) == ["4"]
    assert told(window.advance(playlist(None, run(1, 4)))) == []
    assert told(window.advance(playlist(0, run(4, 4)))) == ["5", "6", "7"]
    assert told(window.advance(playlist(0, run(12, 4)))) == [
        "NEW",
        "~12",
        "13",
        "14",
        "15",
    ]  # how many are missing, nobody knows


def test_without_numbers_fillers_do_not_confuse() -> None:
    window = Window(from_start=True)
    window.advance(playlist(0, ["blank.ts", "blank.ts", "blank.ts", "a.ts"]))
    assert told(window.advance(playlist(0, ["blank.ts", "blank.ts", "a.ts", "b.ts"]))) == ["b"]
    assert told(window.advance(playlist(0, ["blank.ts", "a.ts", "b.ts", "blank.ts"]))) == ["blank"]


def test_without_numbers_a_query_may_be_what_tells_segments_apart() -> None:
    def queries(*numbers: int, token: str) -> list[str]:
        return [f"get.ts?n={number}&token={token}" for number in numbers]

    window = Window(from_start=True)
    assert len(window.advance(playlist(0, queries(1, 2, 3, token="a"))).fetches) == 3
    plan = window.advance(playlist(0, queries(2, 3, 4, token="b")))
    assert [fetch.segment.uri.partition("?")[2] for fetch in plan.fetches] == ["n=4&token=b"]


def test_changing_tokens_and_hosts_are_the_same_segments_and_offer_a_fresh_address() -> None:
    window = Window(from_start=True)
    window.advance(live(100, 3))
    window.settle(100)
    plan = window.advance(
        playlist(100, [f"https://edge2.example.com/live/{n}.ts?token=x" for n in (100, 101, 102, 103)])
    )
    assert told(plan) == ["@101", "@102", "103"]
    fresh = plan.actions[0]
    assert isinstance(fresh, Refresh)
    assert (fresh.number, fresh.segment.uri) == (101, "https://edge2.example.com/live/101.ts?token=x")
    assert told(window.advance(playlist(101, [f"{n}.ts" for n in (101, 102, 103)]))) == ["@101", "@102", "@103"]


def test_nothing_is_refreshed_that_has_left_the_list() -> None:
    window = opened(live(100, 3))
    assert told(window.advance(playlist(102, ["102.ts?a", "103.ts?a"]))) == ["@102", "103"]
    assert told(window.advance(playlist(103, ["103.ts?b", "104.ts?b"]))) == ["@103", "104"]


def test_addresses_that_never_last_are_matched_by_number_as_soon_as_that_is_known() -> None:
    window = Window(from_start=True)
    plans: list[list[str]] = []
    for first in range(100, 110):
        names = [f"{first * number}.ts" for number in range(first, first + 4)]
        plans.append([each for each in told(window.advance(playlist(first, names))) if not each.startswith("@")])
    assert [len(plan) for plan in plans] == [4, 5, *[1] * 8]
    assert plans[1][0] == "NEW"


def test_each_version_of_a_list_with_addresses_of_its_own_shown_twice() -> None:
    window = Window(from_start=True)
    told_new = 0
    for first in range(100, 108):
        listed = [f"{first * number}.ts" for number in range(first, first + 4)]
        for _ in range(2):
            told_new += "NEW" in told(window.advance(playlist(first, listed)))
    assert told_new == 1


def test_a_server_may_begin_again_under_numbers_that_go_on_more_than_once() -> None:
    window = opened(live(1, 3))
    for letter, first in (("a", 2), ("b", 4), ("c", 6)):
        names = [f"{letter}{number}.ts" for number in range(first, first + 5)]
        assert told(window.advance(playlist(first, names[:4])))[0] == "NEW"
        assert told(window.advance(playlist(first + 1, names[1:]))) == [f"{letter}{first + 4}"]


def test_a_token_in_the_path_that_changes_now_and_then() -> None:
    window = opened(
        playlist(100, [f"tok1/{n}.ts" for n in (100, 101, 102)]),
        playlist(101, [f"tok1/{n}.ts" for n in (101, 102, 103)]),
    )
    assert told(window.advance(playlist(102, [f"tok2/{n}.ts" for n in (102, 103, 104)]))) == ["@102", "@103", "104"]


def test_other_addresses_under_numbers_that_go_on_are_a_new_timeline_where_addresses_used_to_last() -> None:
    window = opened(live(4, 3), live(5, 3))
    assert told(window.advance(playlist(5, ["b5.ts", "b6.ts", "b7.ts", "b8.ts"]))) == ["NEW", "~b5", "b6", "b7", "b8"]


# --------------------------------------------------------------------------------------------------- delta


def test_a_delta_update_is_merged_with_the_playlist_before() -> None:
    window = opened(live(100, 6))
    delta = playlist(100, run(104, 4), header="#EXT-X-SKIP:SKIPPED-SEGMENTS=4")
    plan = window.advance(delta)
    assert told(plan) == ["106", "107"]
    assert told(window.advance(playlist(101, run(105, 4), header="#EXT-X-SKIP:SKIPPED-SEGMENTS=4"))) == ["108"]


def test_a_delta_update_that_fits_nothing_asks_for_the_whole() -> None:
    delta = playlist(100, run(104, 4), header="#EXT-X-SKIP:SKIPPED-SEGMENTS=4")
    window = Window(from_start=True)
    assert window.advance(delta) == Plan(changed=False, unchanged=1, needs_full=True)
    window = opened(live(50, 3))
    assert window.advance(delta).needs_full
    assert told(window.advance(live(51, 3))) == ["53"]


# ------------------------------------------------------------------------------------------------- renewal

RENEWED = "https://other.example.net/session/9f/live.m3u8"


def test_a_renewed_address_is_matched_by_number_when_addresses_agree() -> None:
    window = opened(live(100, 4))
    other = playlist(101, [f"https://edge.example.net/live/{n}.ts?sig=2" for n in range(101, 107)], base=RENEWED)
    assert told(window.rebase(other)) == ["@101", "@102", "@103", "104", "105", "106"]


def test_a_renewed_address_is_matched_by_the_wall_clock() -> None:
    window = opened(live(100, 4, at=NOON))
    other = playlist(7, [f"x{n}.ts" for n in range(5)], at=NOON + timedelta(seconds=8.3), base=RENEWED)
    plan = window.rebase(other)
    assert told(plan) == ["@7", "@8", "x2", "x3", "x4"]
    assert [fetch.number for fetch in plan.fetches] == [104, 105, 106]
    assert told(window.advance(playlist(9, [f"x{n}.ts" for n in range(2, 7)], base=RENEWED))) == ["x5", "x6"]


def test_a_renewal_that_took_too_long_leaves_a_gap_by_the_wall_clock() -> None:
    window = opened(live(100, 4, at=NOON))
    other = playlist(7, ["x0.ts", "x1.ts"], at=NOON + timedelta(seconds=28), base=RENEWED)
    plan = window.rebase(other)
    assert told(plan) == ["-4+3", "~x0", "x1"]
    assert plan.actions[0] == Missed(104, 4, 3, 12.0, GapCode.WINDOW_SLID)


def test_a_renewed_address_is_matched_by_path() -> None:
    window = opened(live(100, 4))
    other = playlist(0, [f"https://edge/token/abc123/live/{n}.ts?sig=2" for n in range(102, 107)], base=RENEWED)
    assert told(window.rebase(other)) == ["@0", "@1", "104", "105", "106"]


def test_a_renewed_address_is_matched_by_number_and_file_name_where_folders_are_of_the_session() -> None:
    window = opened(playlist(100, [f"s1/{n}.ts" for n in range(100, 104)]))
    assert told(window.rebase(playlist(102, [f"s2/{n}.ts" for n in range(102, 106)]))) == ["@102", "@103", "104", "105"]


def test_a_renewed_address_of_the_same_series_goes_on_by_number() -> None:
    window = opened(live(100, 4))
    other = playlist(106, [f"https://edge/live/{n}.ts?sig=2" for n in range(106, 109)], base=RENEWED)
    assert told(window.rebase(other)) == ["-104+2", "~106", "107", "108"]


def test_a_renewed_address_that_shows_nothing_known_is_a_new_timeline() -> None:
    window = Window()
    window.advance(live(100, 4))
    other = playlist(500, [f"other-{n}.ts" for n in range(6)], base=RENEWED)
    assert told(window.rebase(other)) == ["NEW", "~other-0", *[f"other-{n}" for n in range(1, 6)]]
    assert told(window.advance(playlist(501, [f"other-{n}.ts" for n in range(1, 7)], base=RENEWED))) == ["other-6"]


def test_of_a_long_list_that_shows_nothing_known_only_the_live_edge_is_taken() -> None:
    window = opened(live(100, 4))
    other = playlist(500, [f"other-{n}.ts" for n in range(500)], base=RENEWED)
    assert told(window.rebase(other)) == ["NEW", "~other-497", "other-498", "other-499"]


def test_a_server_that_began_again_while_the_address_was_renewed_is_taken_from_its_first_segment() -> None:
    window = opened(live(1000, 4))
    assert told(window.rebase(live(0, 40))) == ["NEW", "~0", *[str(n) for n in range(1, 40)]]


def test_a_renewed_address_may_lag_behind() -> None:
    window = opened(live(100, 8))
    assert window.rebase(live(98, 8)).stale
    assert told(window.advance(live(101, 8))) == ["108"]


def test_rebase_may_come_first() -> None:
    assert told(Window(from_start=True).rebase(live(5, 2))) == ["5", "6"]


# ------------------------------------------------------------------------------------------- where to begin


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (live(0, 10), 7),
        (live(0, 2), 0),
        (live(0, 10, end=True), 0),
        (live(0, 10, header="#EXT-X-PLAYLIST-TYPE:VOD"), 0),
        (live(0, 10, header="#EXT-X-PLAYLIST-TYPE:EVENT"), 7),
        (live(0, 10, header="#EXT-X-SERVER-CONTROL:HOLD-BACK=18"), 5),
        (live(0, 10, header="#EXT-X-START:TIME-OFFSET=9"), 2),
        (live(0, 10, header="#EXT-X-START:TIME-OFFSET=-9"), 7),
        (live(0, 10, header="#EXT-X-START:TIME-OFFSET=-900"), 0),
        (live(0, 10, header="#EXT-X-START:TIME-OFFSET=900"), 9),
        (playlist(0, []), 0),
    ],
)
def test_where_to_begin(given: MediaPlaylist, expected: int) -> None:
    assert start_index(given) == expected
    assert start_index(given, from_start=True) == 0


def test_a_window_begins_near_the_live_edge() -> None:
    assert told(Window().advance(live(50, 10))) == ["57", "58", "59"]


def beside(seconds: float | None, number: int) -> Segment:
    return Segment("v.ts", 4.0, number, starts_at=None if seconds is None else NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (beside(20, 999), 5),
        (beside(21.9, 999), 5),
        (beside(18.5, 999), 5),
        (beside(-50, 999), 0),
        (beside(36, 999), 9),
        (beside(60, 999), 10),
        (beside(None, 53), 3),
        (beside(None, 999), 7),
    ],
)
def test_another_rendition_begins_at_the_same_moment(other: Segment, expected: int) -> None:
    assert start_index(live(50, 10, at=NOON), beside=other) == expected


def test_another_rendition_that_is_not_there_yet_is_waited_for() -> None:
    window = Window(beside=beside(44, 0))
    assert told(window.advance(live(50, 10, at=NOON))) == []
    assert told(window.advance(live(52, 10, at=NOON + timedelta(seconds=8)))) == ["60", "61"]


# ------------------------------------------------------------------------------------------------ the rest


def test_a_copy_goes_its_own_way() -> None:
    window = opened(live(100, 3))
    twin = window.copy()
    assert told(twin.advance(live(101, 3))) == ["103"]
    assert told(window.advance(live(101, 4))) == ["103", "104"]
    assert told(twin.advance(live(101, 4))) == ["104"]


def test_a_day_of_segments_is_remembered_in_part() -> None:
    window = Window(from_start=True)
    names = run(0, 5000)
    for count in range(4990, 5000):
        window.advance(playlist(0, names[:count], header="#EXT-X-PLAYLIST-TYPE:EVENT"))
    assert len(window._known) <= 128


@pytest.mark.parametrize(
    ("changed", "elapsed_s", "expected"),
    [(True, 0, 4), (True, 1.5, 2.5), (False, 0, 2), (False, 1.5, 0.5), (True, 9, 0)],
)
def test_reload_delay(changed: bool, elapsed_s: float, expected: float) -> None:
    assert reload_delay(live(0, 1), changed=changed, elapsed_s=elapsed_s) == expected


@pytest.mark.parametrize("target_s", [0.0, -1.0, float("nan")])
def test_reload_delay_wants_a_target_duration(target_s: float) -> None:
    with pytest.raises(ValueError, match="target duration"):
        reload_delay(MediaPlaylist("", target_s), changed=True, elapsed_s=0)
