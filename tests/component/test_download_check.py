"""What is seen in the pieces of a download before it is closed, by their heads and tails."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from tests.recordings import NOON, segments
from xxhash import xxh3_64_hexdigest

from ouzel.cli.texts.sentences import in_chinese
from ouzel.engine.download.check import check
from ouzel.engine.download.file import PlacedFile
from ouzel.formats.shape import Container
from ouzel.model.flow import Chunk
from ouzel.model.ledger_lines import Opening
from ouzel.testing.clips import Clip

CONTAINERS: tuple[Container, ...] = ("ts", "mp4")
Fetched = Callable[..., AbstractContextManager[PlacedFile]]


@pytest.fixture
def fetched(tmp_path: Path) -> Fetched:
    @contextmanager
    def build(
        container: Container,
        head: bytes,
        bodies: Sequence[bytes],
        *,
        breaks: Collection[int] = (),
        lost: Collection[int] = (),
        told_s: float = 1.0,
    ) -> Iterator[PlacedFile]:
        opening = Opening(f"film.{container}", container, NOON, "https://example.org/a.m3u8", 1, "t", download=True)
        file = PlacedFile.open(tmp_path / opening.file, opening, head, str)
        at = len(head)
        for index, data in enumerate(bodies):
            if index not in lost:
                file.write(at, data)
                start_s = index * told_s
                file.commit(
                    Chunk(
                        index, at, len(data), start_s, start_s + told_s, NOON, 0, True, xxh3_64_hexdigest(data), index,
                        discontinuity=index in breaks, identity=f"{index:016x}",
                    )
                )  # fmt: skip
            at += len(data)
        yield file
        file.release()

    return build


@pytest.mark.parametrize("container", CONTAINERS)
def test_what_is_whole_gives_no_cause_for_words(clip: Clip, fetched: Fetched, container: Container) -> None:
    head, parts = segments(clip, container)
    with fetched(container, head, [*parts]) as file:
        checked = check(file)
    assert (checked.warnings, checked.changed) == ((), ())
    assert sorted(track.kind for track in checked.tracks) == ["audio", "video"]


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_discontinuity_that_is_none_is_seen(clip: Clip, fetched: Fetched, container: Container) -> None:
    head, parts = segments(clip, container)
    with fetched(container, head, [*parts], breaks={0, 4}) as file:
        checked = check(file)
    assert [(chunk.index, chunk.discontinuity) for chunk in checked.changed] == [(0, False), (4, False)]
    assert checked.warnings == ()


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("container", CONTAINERS)
def test_a_clock_that_jumps_is_seen(clip: Clip, fetched: Fetched, container: Container, told: bool) -> None:
    head, parts = segments(clip, container)
    bodies = [*parts]
    with fetched(container, head, bodies[:4] + bodies[8:], breaks={4} if told else ()) as file:
        checked = check(file)
    assert [(chunk.index, chunk.discontinuity) for chunk in checked.changed] == ([] if told else [(4, True)])
    assert [words.partition(",")[0] for words in checked.warnings] == ([] if told else ["the clock jumps"])


def test_nothing_is_said_of_an_edge_at_which_a_piece_is_missing(clip: Clip, fetched: Fetched) -> None:
    head, parts = segments(clip, "ts")
    with fetched("ts", head, [*parts], lost={4, 5}) as file:
        assert check(file).warnings == ()


def test_the_same_bytes_under_two_names_are_told(clip: Clip, fetched: Fetched) -> None:
    head, parts = segments(clip, "ts")
    bodies = [*parts]
    bodies[6] = bodies[5]
    with fetched("ts", head, bodies) as file:
        warnings = check(file).warnings
    assert warnings[0] == "the same bytes came twice: segment 5 and 6"


def test_packets_that_are_missing_at_an_edge_are_told(clip: Clip, fetched: Fetched) -> None:
    head, parts = segments(clip, "ts")
    bodies = [*parts]
    bodies[5] = bodies[5][: -12 * 188]
    with fetched("ts", head, bodies) as file:
        assert check(file).warnings == ("packets are missing before segment 6",)


@pytest.mark.parametrize(
    ("warning", "shown"),
    [
        ("packets are missing before segment 3, 4, 5, and 2 more", "以下分段之前缺少数据包：分段 3, 4, 5，另有 2 个"),
        ("the same bytes came twice: segment 5 and 6", "出现了两次相同的数据：分段 5 and 6"),
        ("not media at an end of segment 5 (byte 9)", "分段首尾有非媒体数据：分段 5 (byte 9)"),
        ("the numbers of fragments do not rise at segment 7", "分片序号没有递增：分段 7"),
        (
            "the clock jumps, and the playlist does not say so, at segment 3 (by +1.000 s)",
            "时钟跳变而播放列表没有说明：分段 3 (by +1.000 s)",
        ),
        (
            "the segments last 00:00:11.0 by their clock, and 00:00:15.4 as the playlist announces them",
            "按时钟计算各分段共 00:00:11.0，而播放列表声明为 00:00:15.4",
        ),
        ("the init segment cannot be read: no moov", "无法读取初始化分段：no moov"),
    ],
)
def test_what_is_told_is_known_in_chinese(warning: str, shown: str) -> None:
    assert in_chinese(warning) == shown


def test_of_many_places_the_first_are_named(clip: Clip, fetched: Fetched) -> None:
    head, parts = segments(clip, "ts")
    bodies = [*parts]
    for number in (2, 4, 6, 8):
        bodies[number] = bodies[number][:-100]
    with fetched("ts", head, bodies) as file:
        (torn, *_) = check(file).warnings
    assert torn.startswith(
        "not media at an end of segment 2 (its last packet is torn), 4 (its last packet is torn), 6 ("
    )
    assert torn.endswith(", and 1 more")


@pytest.mark.parametrize("container", CONTAINERS)
def test_garbage_is_told_with_its_place(clip: Clip, fetched: Fetched, container: Container) -> None:
    head, parts = segments(clip, container)
    bodies = [*parts]
    bodies[5] = os.urandom(8) + b"\0" * (len(bodies[5]) - 8)
    place = len(head) + sum(map(len, bodies[:5]))
    with fetched(container, head, bodies) as file:
        assert check(file).warnings == (f"not media at an end of segment 5 (byte {place})",)


def test_a_torn_packet_is_told(clip: Clip, fetched: Fetched) -> None:
    head, parts = segments(clip, "ts")
    bodies = [*parts]
    bodies[5] = bodies[5][:-100]
    with fetched("ts", head, bodies) as file:
        assert "segment 5 (its last packet is torn)" in check(file).warnings[0]


def test_a_length_that_is_another_than_was_announced_is_told(clip: Clip, fetched: Fetched) -> None:
    head, parts = segments(clip, "ts")
    with fetched("ts", head, [*parts], told_s=1.4) as file:
        assert check(file).warnings == (
            "the segments last 00:00:11.0 by their clock, and 00:00:15.4 as the playlist announces them",
        )
