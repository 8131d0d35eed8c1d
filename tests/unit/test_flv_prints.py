"""What is enough to tell one group of pictures from another, although not every byte of it is remembered."""

from __future__ import annotations

from random import Random

import pytest
from tests.flv_source import Recorder, groups, opening, picture, sound, stream

from ouzel.formats.flv.groups import print_of
from ouzel.formats.flv.tags import AUDIO, VIDEO

MADE = groups(3, frames=25, size=60)
NOISE = Random(5).randbytes


def flipped(data: bytes, at: int) -> bytes:
    """With one bit changed; `at` from the end."""
    return data[:-at] + bytes([data[-at] ^ 0x80]) + data[len(data) - at + 1 :]


def again(*, tag: int, at: int) -> bytes:
    """The second group, with a bit changed in one of its tags."""
    parts = list(MADE[1].parts())
    parts[tag] = flipped(parts[tag], at + 4)
    return b"".join(parts)


@pytest.mark.parametrize(
    ("tag", "at"),
    [
        pytest.param(0, 200, id="in the middle of the key frame"),
        pytest.param(0, 1, id="at the end of the key frame"),
        pytest.param(5, 1, id="at the end of another tag"),
        pytest.param(5, 8, id="almost at its end"),
    ],
)
@pytest.mark.parametrize("piece", [7, 1000])
def test_a_group_that_differs_in_one_byte_is_kept(tag: int, at: int, piece: int) -> None:
    recorder = Recorder(piece=piece).feed(opening() + stream(MADE))
    recorder.reconnect(opening() + again(tag=tag, at=at) + picture(90_000, key=True) + sound(90_000)).cut().check()
    assert not recorder.replays
    assert len(recorder.file.chunks) == 5


def test_the_same_group_is_dropped() -> None:
    recorder = Recorder().feed(opening() + stream(MADE))
    recorder.reconnect(opening() + MADE[1].data() + picture(90_000, key=True) + sound(90_000)).cut().check()
    assert len(recorder.replays) == 1


def test_a_print_tells_kind_size_and_end() -> None:
    body = NOISE(100)
    prints = [
        print_of(VIDEO, body),
        print_of(AUDIO, body),
        print_of(VIDEO, b"x" + body),
        *(print_of(VIDEO, flipped(body, n)) for n in range(1, 9)),
        *(print_of(VIDEO, body[100 - n :]) for n in range(9)),
    ]
    assert len(set(prints)) == len(prints)
    assert print_of(VIDEO, flipped(body, 9)) == print_of(VIDEO, body)
