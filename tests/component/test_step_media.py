"""Convert, join, thumbnails and clock as steps: with real ledgers and a real ffmpeg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.bench import Bench, made_of
from tests.recordings import NOON, record

from ouzel.base.errors import BadOption, NotALedger, ToolMissing, Unsupported
from ouzel.engine import ledgers
from ouzel.engine.afterwards.clock import FORMATS as CLOCK_FORMATS
from ouzel.engine.afterwards.clock import ClockWish
from ouzel.engine.afterwards.encode import PICTURES_IN, SOUND_ONLY, SOUNDS, EncodeWish
from ouzel.engine.afterwards.encoders import CODECS, HARDWARE
from ouzel.engine.afterwards.joining import FORMATS as JOIN_FORMATS
from ouzel.engine.afterwards.pictures import PicturesWish
from ouzel.engine.afterwards.watermark import PLACES, Watermark
from ouzel.engine.recipes import FORMATS
from ouzel.model.pipelines import parse_steps
from ouzel.model.recording import FileRole
from ouzel.model.steps import SHAPES
from ouzel.services.step_media import clock_wish, encode_wish, media_kinds, pictures_wish
from ouzel.services.steps import Steps
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def bench() -> Bench:
    return Bench.of_done()


@pytest.fixture(scope="session")
def steps() -> Steps:
    return Steps(media_kinds(FfmpegFinder(), FakeClock(NOON)))


@pytest.fixture(scope="module")
def short(clip_folder: Path) -> Clip:
    return make_clip(clip_folder, seconds=2, size="160x90", gop_s=1)


# -- one truth -----------------------------------------------------------------------------------------------------------


def fields(step: str, **given: Any) -> Any:
    [parsed] = parse_steps([{"step": step, **given}])
    return parsed.fields


def test_what_is_usual_is_what_the_work_does_when_nothing_is_said() -> None:
    assert encode_wish(fields("convert")) == EncodeWish()
    assert encode_wish(fields("convert", watermark="words")).watermark == Watermark("words")
    assert encode_wish(fields("convert", watermark="/a/b.png")).watermark == Watermark(picture=Path("/a/b.png"))
    assert pictures_wish(fields("thumbnails")) == PicturesWish()
    assert clock_wish(fields("clock")) == ClockWish()


def test_there_is_to_choose_what_the_work_can_do() -> None:
    convert = SHAPES["convert"].fields
    assert {*convert["format"].choices} == {*PICTURES_IN, *SOUND_ONLY}
    assert convert["video"].choices == CODECS
    assert convert["audio"].choices == SOUNDS
    assert convert["hardware"].choices == HARDWARE
    assert convert["watermark_place"].choices == PLACES
    assert SHAPES["clock"].fields["format"].choices == CLOCK_FORMATS
    assert {*SHAPES["remux"].fields["format"].choices} == {*FORMATS}
    assert {*SHAPES["join"].fields["format"].choices} == {*JOIN_FORMATS}


EDGES = [
    (name, key, value)
    for name in ("thumbnails", "clock", "convert")
    for key, field in SHAPES[name].fields.items()
    if isinstance(field.usual, (int, float)) and not isinstance(field.usual, bool) and key != "quality"
    for value in (field.least, field.most)
]


@pytest.mark.parametrize(("name", "key", "value"), EDGES)
async def test_the_edges_of_what_may_be_said_can_be_done(steps: Steps, name: str, key: str, value: float) -> None:
    whole = isinstance(SHAPES[name].fields[key].usual, int)
    await steps.check(parse_steps([{"step": name, key: int(value) if whole else value}]))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"step": "convert", "watermark": "/nowhere/mark.png"}, "convert: /nowhere/mark.png does not exist"),
        ({"step": "convert", "watermark": __file__}, "convert: the watermark .* is no picture"),
        ({"step": "convert", "watermark": "\U0001003f"}, "convert: no font here"),
        (
            {"step": "convert", "watermark": "a", "watermark_font": "/nowhere/a.ttf"},
            "convert: /nowhere/a.ttf does not exist",
        ),
        ({"step": "convert", "format": "ts", "video": "av1"}, "convert: av1 video cannot be carried in MPEG-TS"),
        ({"step": "convert", "format": "flv", "video": "hevc"}, "convert: few programs read hevc in FLV"),
        ({"step": "convert", "format": "m4a", "height": 720}, "convert: m4a holds sound only"),
        ({"step": "convert", "quality": 60}, "convert: quality 60 is none of h264"),
        ({"step": "convert", "hardware": "nvenc"}, "convert: h264_nvenc does not work here"),
        ({"step": "clock", "template": "{when}"}, "clock: {when} is no field of this template"),
        ({"step": "clock", "zone": "Mars/Base"}, "clock: there is no time zone Mars/Base"),
        ({"step": "clock", "template": " "}, "clock: the template of the clock is empty"),
    ],
)
async def test_what_cannot_be_done_is_told_when_it_is_set(steps: Steps, step: dict[str, Any], words: str) -> None:
    with pytest.raises(BadOption, match=words) as caught:
        await steps.check(parse_steps([{"step": "remux"}, step]))
    assert caught.value.context["pointer"] == "/steps/1"


async def test_an_encoder_that_the_ffmpeg_at_hand_lacks_is_told_when_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lacks(self: FfmpegFinder, need: Any = ()) -> Any:
        raise ToolMissing(f"no ffmpeg here has {', '.join(need)}")

    monkeypatch.setattr(FfmpegFinder, "find", lacks)
    steps = Steps(media_kinds(FfmpegFinder(), FakeClock(NOON)))
    with pytest.raises(BadOption, match=r"convert: no ffmpeg here has .*av1"):
        await steps.check(parse_steps([{"step": "convert", "video": "av1"}]))


# -- convert -------------------------------------------------------------------------------------------------------------


async def test_convert_makes_smaller_files_and_the_originals_go(
    tmp_path: Path, short: Clip, bench: Bench, steps: Steps
) -> None:
    paths = [record(tmp_path, short, name=name) for name in ("1", "2")]
    work = bench.work("convert", [bench.file(path) for path in paths], height=72)
    made = await made_of(steps.kinds["convert"], work)
    assert [(each.path.name, each.made_of) for each in made.files] == [("1.mp4", ("1.ts",)), ("2.mp4", ("2.ts",))]
    assert {(each.tracks[0]["codec"], each.tracks[0]["height"]) for each in made.files} == {("h264", 72)}
    assert (made.gone, bench.told == sorted(bench.told), bench.told[-1]) == (("1.ts", "2.ts"), True, 1.0)
    again = await made_of(steps.kinds["convert"], work)
    assert again == made
    held = ledgers.find(made.files[0].path)
    assert held is not None
    assert len(held.ledger.products) == 1, "made twice"


async def test_what_has_its_name_gets_another_one_with_a_ledger_of_its_own(
    tmp_path: Path, short: Clip, bench: Bench, steps: Steps
) -> None:
    path = record(tmp_path, short, "mp4", lost=[1])
    made = await made_of(steps.kinds["convert"], bench.work("convert", [bench.file(path)], keep=True))
    assert ([each.path.name for each in made.files], made.gone) == (["show.h264.mp4"], ())
    held = ledgers.find(made.files[0].path)
    assert held is not None
    assert (held.ledger_path.name, len(held.ledger.gaps)) == ("show.h264.ledger", 1)


# -- join ----------------------------------------------------------------------------------------------------------------


async def test_join_makes_one_file_and_the_others_go(tmp_path: Path, short: Clip, bench: Bench, steps: Steps) -> None:
    files = [bench.file(record(tmp_path, short, name=f"show-00{n}"), part=n) for n in (1, 2, 3)]
    work = bench.work("join", files)
    made = await made_of(steps.kinds["join"], work)
    ids = tuple(each.row.id for each in files)
    [file] = made.files
    assert (file.path.name, file.role, file.made_of, made.gone) == ("show.mp4", FileRole.PRODUCT, ids, ids)
    assert file.media_s == pytest.approx(6, abs=0.2)
    assert made.result == {"made": 1, "joined": 3}
    assert bench.told[-1] == 1.0

    row = bench.file(file.path, role=FileRole.PRODUCT, made_of=ids, bytes=file.bytes, media_s=file.media_s)
    files[0].path.unlink()
    again = await made_of(steps.kinds["join"], bench.work("join", files, [row]))
    assert ([each.path for each in again.files], again.gone) == ([file.path], ids)
    kept = await made_of(steps.kinds["join"], bench.work("join", files, [row], keep=True))
    assert kept.gone == ()


async def test_join_of_one_file_gives_it_the_format(tmp_path: Path, short: Clip, bench: Bench, steps: Steps) -> None:
    path = record(tmp_path, short)
    made = await made_of(steps.kinds["join"], bench.work("join", [bench.file(path)]))
    assert [each.path.name for each in made.files] == ["show.mp4"]
    fits = await made_of(steps.kinds["join"], bench.work("join", [bench.file(path)], format="ts"))
    assert (fits.files, fits.gone) == ((), ())


async def test_join_names_the_file_that_does_not_fit(
    tmp_path: Path, short: Clip, clip_folder: Path, bench: Bench, steps: Steps
) -> None:
    other = make_clip(clip_folder, seconds=2, size="192x108", gop_s=1)
    files = [record(tmp_path, short, name="show-001"), record(tmp_path, other, name="show-002")]
    with pytest.raises(Unsupported, match=r"show-002\.ts cannot be joined to show-001\.ts.*convert"):
        await made_of(steps.kinds["join"], bench.work("join", [bench.file(path) for path in files]))
    assert all(path.exists() for path in files)


async def test_originals_whose_ledgers_would_be_lost_stay(
    tmp_path: Path, short: Clip, bench: Bench, steps: Steps
) -> None:
    paths = [record(tmp_path, short, name=f"show-00{n}") for n in (1, 2)]
    ledgers.ledger_path(paths[1]).unlink()
    work = bench.work("join", [bench.file(path, part=n) for n, path in enumerate(paths, 1)])
    made = await made_of(steps.kinds["join"], work)
    assert ([each.path.name for each in made.files], made.gone) == (["show.mp4"], ())


# -- companions ----------------------------------------------------------------------------------------------------------


async def test_pictures_have_roles_and_those_of_before_go(
    tmp_path: Path, short: Clip, bench: Bench, steps: Steps
) -> None:
    source = bench.file(record(tmp_path, short))
    old = bench.file(tmp_path / "show.storyboard-2.jpg", role=FileRole.SPRITE, made_of=("show.ts",))
    foreign = bench.file(tmp_path / "x.storyboard-2.jpg", role=FileRole.SPRITE, made_of=("x.ts",))
    made = await made_of(steps.kinds["thumbnails"], bench.work("thumbnails", [source], [old, foreign], every_s=0.5))
    assert [(each.path.name, each.role) for each in made.files] == [
        ("show.poster.jpg", FileRole.POSTER),
        ("show.storyboard-1.jpg", FileRole.SPRITE),
        ("show.storyboard.vtt", FileRole.STORYBOARD),
    ]
    assert all(each.bytes == each.path.stat().st_size > 0 for each in made.files)
    assert (made.gone, {each.made_of for each in made.files}) == (("show.storyboard-2.jpg",), {("show.ts",)})
    assert bench.told[-1] == 1.0


async def test_sound_alone_has_no_pictures_and_that_is_told(
    tmp_path: Path, short: Clip, bench: Bench, steps: Steps
) -> None:
    [sound] = (
        await made_of(steps.kinds["remux"], bench.work("remux", [bench.file(record(tmp_path, short))], format="m4a"))
    ).files
    made = await made_of(steps.kinds["thumbnails"], bench.work("thumbnails", [bench.file(sound.path)]))
    assert (made.files, made.result["made"]) == ((), 0)
    assert "there is no picture in" in made.result["warnings"][0]


async def test_the_clock_is_told_where_a_ledger_tells_it(
    tmp_path: Path, short: Clip, bench: Bench, steps: Steps
) -> None:
    one, two = record(tmp_path, short, name="1", lost=[1]), record(tmp_path, short, name="2")
    ledgers.ledger_path(two).unlink()
    kind = steps.kinds["clock"]
    work = bench.work("clock", [bench.file(one), bench.file(two)], zone="Asia/Shanghai", template="{time} {zone}")
    made = await made_of(kind, work)
    [file] = made.files
    assert (file.path.name, file.role, file.made_of) == ("1.clock.srt", FileRole.SUBTITLES, ("1.ts",))
    assert "20:00:00 +08:00" in file.path.read_text()
    assert "2.ts" in made.result["warnings"][0]
    with pytest.raises(NotALedger):
        await made_of(kind, bench.work("clock", [bench.file(two)]))
