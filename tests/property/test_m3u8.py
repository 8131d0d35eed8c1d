"""Whatever arrives is parsed or refused, and what was parsed can be written and read again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ouzel.base.errors import FormatError, NotMedia
from ouzel.formats.m3u8 import (
    ByteRange,
    DateRange,
    Follower,
    InitSegment,
    Key,
    MediaPlaylist,
    Part,
    Playlist,
    Segment,
    is_playlist,
    parse,
    render,
)

T = TypeVar("T")
URL = "https://cdn.example.com/live/index.m3u8?token=T0k"
CORPUS = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "data" / "m3u8").iterdir())]
LINES = sorted({line for each in CORPUS for line in each.splitlines()})
SPLINTERS = [
    *(
        b"\n",
        b"\r",
        b'"',
        b",",
        b"=",
        b"@",
        b":",
        b"#",
        b" ",
        b"\t",
        b"-1",
        b"9" * 25,
        b"\xff",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
    ),
    *(
        b"{$a}",
        b"{$",
        b'#EXT-X-DEFINE:NAME="a",VALUE="1,2"\n',
        b"#EXT-X-KEY:METHOD=NONE\n",
        b"../",
        b"//",
        b"data:",
        b"\x00",
    ),
    *(b"#EXT-X-PROGRAM-DATE-TIME:0001-01-01T00:00:00+14:00\n", b"#EXT-X-PROGRAM-DATE-TIME:9999-12-31T23:59:59Z\n"),
]


def mutated(seed: int) -> bytes:
    """An input of the corpus with some of it cut out, doubled, moved, or replaced; the seed tells all."""
    rnd = random.Random(seed)
    data = bytearray(rnd.choice(CORPUS))
    for _ in range(rnd.randint(1, 6)):
        at = rnd.randint(0, len(data))
        match rnd.randrange(6):
            case 0:
                data[at:at] = rnd.choice(SPLINTERS)
            case 1:
                del data[at : at + rnd.randint(1, 40)]
            case 2:
                lines = bytes(data).split(b"\n")
                lines.insert(rnd.randint(0, len(lines)), rnd.choice(LINES))
                data = bytearray(b"\n".join(lines))
            case 3 if data:
                data[rnd.randrange(len(data))] = rnd.randrange(256)
            case 4:
                other = rnd.choice(CORPUS)
                start = rnd.randint(0, len(other))
                data[at:at] = other[start : start + rnd.randint(0, 200)]
            case _:
                lines = bytes(data).split(b"\n")
                rnd.shuffle(lines)
                data = bytearray(b"\n".join(lines))
    return bytes(data)


def read(data: bytes | str, base_url: str = URL) -> Playlist | None:
    try:
        return parse(data, base_url=base_url)
    except (FormatError, NotMedia):
        return None


def assert_survives_rendering(data: bytes | str, base_url: str) -> None:
    playlist = read(data, base_url)
    if playlist is not None:
        assert parse(render(playlist), base_url=base_url) == playlist


def test_the_corpus_survives_rendering() -> None:
    for data in CORPUS:
        assert_survives_rendering(data, URL)
        assert_survives_rendering(data, "")


@settings(max_examples=1500, deadline=None)
@given(st.integers(min_value=0))
def test_mutated_input_is_parsed_or_refused_and_survives_rendering(seed: int) -> None:
    data = mutated(seed)
    is_playlist(data)
    assert_survives_rendering(data, URL if seed % 2 else "")


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text(alphabet='#EXTINF-:=",0129@\n\r{$}a/. '))
@example("#EXTM3U\n#EXTINF:0\n#EXT-X-RENDITION-REPORT:LAST-MSN=A")
@example("#EXTM3U\n#EXT-X-STREAM-INF:\n#EXT-X-MAP:0\n0\n")
def test_any_text_is_parsed_or_refused_and_survives_rendering(text: str) -> None:
    assert_survives_rendering(text, URL)
    assert_survives_rendering("#EXTM3U\n" + text, "")


# ------------------------------------------------------------------------------------------- playlists made up


class MakeUp:
    """Sound playlists of every shape. A plain generator from a seed: drawing each value by itself is fifty times slower."""

    def __init__(self, seed: int) -> None:
        self._rnd = random.Random(seed)

    def maybe(self, make: Callable[[], T]) -> T | None:
        return make() if self._rnd.random() < 0.3 else None

    def some(self, make: Callable[[], T]) -> tuple[T, ...]:
        return tuple(make() for _ in range(self._rnd.choice((0, 0, 0, 1, 2))))

    def yes(self) -> bool:
        return self._rnd.random() < 0.3

    def word(self) -> str:
        return "".join(self._rnd.choices("aZ09 ,=:;'#@}$/\\\u3000\u00e9\u4e2d\U0001f426", k=self._rnd.randint(0, 8)))

    def address(self) -> str:
        return f"https://h{self._rnd.randint(0, 9)}/{self._rnd.choice(('a.ts', 'b/c.mp4?d=e', 'f//g', 'h,i;j=k'))}"

    def duration(self) -> float:
        return self._rnd.choice((4.0, 0.1, 3.333333, self._rnd.uniform(0.001, 1000)))

    def instant(self) -> datetime:
        return datetime(1971, 1, 1, tzinfo=UTC) + timedelta(microseconds=self._rnd.randint(0, 4 * 10**15))

    def byte_range(self) -> ByteRange:
        return ByteRange(self._rnd.randint(0, 2**40), self._rnd.randint(0, 2**32))

    def key(self) -> Key:
        iv = self._rnd.randbytes(16)  # a map needs it explicitly
        method = self._rnd.choice(("AES-128", "SAMPLE-AES"))
        return Key(method, self.address(), iv, keyformat_versions=self.maybe(lambda: "1/2"))

    def keys(self) -> tuple[Key, ...]:
        return self._rnd.choice(((Key("NONE"),), (self.key(),), (self.key(), Key("X", "skd://1", None, "drm"))))

    def part(self) -> Part:
        return Part(self.address(), self.duration(), self.yes(), self.maybe(self.byte_range), self.yes())

    def date_range(self) -> DateRange:
        return DateRange(
            self.word(),
            self.maybe(self.word),
            self.maybe(self.instant),
            self.maybe(self.instant),
            self.maybe(self.duration),
            self.maybe(self.duration),
            self.maybe(self.word),
            self.yes(),
            self.some(lambda: ("X-A", '"b,c"'))[:1],
        )

    def segments(self, number: int, discontinuities: int) -> Iterator[Segment]:
        keys, init, clock = (), None, None
        for _ in range(self._rnd.randint(0, 6)):
            keys = self.maybe(self.keys) or keys
            init = self.maybe(lambda keys=keys: InitSegment(self.address(), self.maybe(self.byte_range), keys)) or init
            broken, duration, dated = self.yes(), self.duration(), self.maybe(self.instant) if clock else self.instant()
            discontinuities += broken
            anchor, elapsed = (dated, 0.0) if dated else clock or (self.instant(), 0.0)
            yield Segment(
                self.address(),
                duration,
                number,
                discontinuities,
                self.word().strip(),
                init,
                keys,
                starts_at=anchor + timedelta(seconds=elapsed),
                discontinuity=broken,
                gap=self.yes(),
                byte_range=self.maybe(self.byte_range),
                program_date_time=dated,
                parts=self.some(self.part),
                date_ranges=self.some(self.date_range),
                tags=self.some(lambda: self._rnd.choice(("#EXT-X-CUE-IN", "#EXT-X-VENDOR:a=b, c"))),
            )
            number, clock = number + 1, (anchor, elapsed + duration)

    def playlist(self) -> MediaPlaylist:
        first, discontinuities = self._rnd.randint(0, 2**40), self._rnd.randint(0, 50)
        return MediaPlaylist(
            URL,
            self.duration(),
            tuple(self.segments(first, discontinuities)),
            first,
            discontinuities,
            end_list=self.yes(),
            playlist_type=self._rnd.choice((None, "EVENT", "VOD")),
            version=self.maybe(lambda: 9),
            independent_segments=self.yes(),
            part_target_s=self.maybe(self.duration),
            tags=self.some(lambda: "#EXT-X-ALLOW-CACHE:NO"),
        )


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0))
def test_a_sound_playlist_is_read_as_it_was_written(seed: int) -> None:
    playlist = MakeUp(seed).playlist()
    read_back = parse(render(playlist), base_url=URL)
    assert read_back == playlist
    assert read_back.warnings == ()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 400)), max_size=6))
def test_following_gives_what_reading_gives(steps: list[tuple[int, int]]) -> None:
    """Texts that grow, sometimes by garbage, and sometimes are another one altogether."""
    follower, text = Follower(), b""
    for seed, cut in steps:
        added = mutated(seed) if seed % 3 == 0 else CORPUS[seed % len(CORPUS)]
        text = added if seed % 5 == 0 else text + added[:cut]
        expected = read(text)
        try:
            followed = follower.parse(text, base_url=URL)
        except (FormatError, NotMedia):
            followed = None
        assert followed == expected
        if expected is not None and followed is not None:
            assert followed.warnings == expected.warnings
