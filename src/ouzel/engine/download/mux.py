"""Several tracks into one file, by ffmpeg, without re-encoding."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import anyio
import anyio.to_thread

from ouzel.base.errors import DiskFull, MediaError, ToolFailed, Unsupported
from ouzel.engine import ledgers
from ouzel.engine.download.beginnings import clean_subtitles, delays, packed_start
from ouzel.engine.download.sight import besides
from ouzel.engine.download.spend import Spending, ledger_of
from ouzel.engine.probe import probe
from ouzel.engine.products import settle
from ouzel.engine.recipes import SOUND_ONLY
from ouzel.engine.sinks.file import CONVERTING, LEDGER
from ouzel.engine.sinks.lines import refuse_existing
from ouzel.engine.tasks import beside
from ouzel.formats.m3u8 import Rendition
from ouzel.model.ledger_lines import Product
from ouzel.model.media import Found
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.process import run

_SLACK_S, _SLACK_SHARE = 1.0, 0.005
_NICE = 10
_STILL = ("-dts_delta_threshold", "1000000")  # ffmpeg closes holes of ten seconds in TS, and what is beside them drifts
_CLEAN = ".clean"
_DRIFT_S = 0.3
_QUIET = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+warning", "-progress", "pipe:1", *_STILL)
_AT_FRONT = ("-movflags", "+faststart")
_LOCAL = ("-protocol_whitelist", "file,pipe")
_MUXED = 0.9
"""Of the work; the rest is looking at what came of it."""
_CLOCKED = frozenset({".ts", ".mp4"})
_TEXTS = frozenset({".vtt", ".mp4", ".ttml"})
_TEXT_CODECS = {"mp4": "mov_text", "mkv": "copy"}
_MUXERS = {"mp4": "mp4", "mkv": "matroska", "ts": "mpegts", "m4a": "ipod"}
_IN_MP4 = frozenset({"h264", "hevc", "av1", "vp9", "vvc", "mpeg4", "mpeg2video", "mjpeg"})
_SOUND_IN_MP4 = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus", "alac", "flac"})
_THREE_LETTERS = {
    "en": "eng", "zh": "chi", "ja": "jpn", "ko": "kor", "de": "ger", "fr": "fre", "es": "spa", "it": "ita", "pt": "por",
    "ru": "rus", "ar": "ara", "hi": "hin", "nl": "dut", "pl": "pol", "tr": "tur", "sv": "swe", "th": "tha", "vi": "vie",
}  # fmt: skip
"""ISO 639-2/B, which MP4 and Matroska want; others are given as they are."""


@dataclass(frozen=True, slots=True)
class Track:
    """Closed files of one track, each with a ledger beside it."""

    kind: Literal["video", "audio", "subtitles"]
    """`video` is whatever the variant holds, sound included."""
    parts: tuple[Path, ...]
    """More than one where the init segment changes to another."""
    language: str = ""
    """RFC 5646."""
    name: str = ""
    default: bool = False
    forced: bool = False
    begins_s: float = 0.0
    """Where it begins in the programme, as its list announces; more than 0 where the beginning is left out."""
    own_sound: Rendition | None = None
    """What the sound in it is called, where it goes in beside that of other tracks."""


_Input = tuple[Track, Path, Found | None, float]
"""What is read of a track, what is in it, and how much later than the first it begins, in seconds."""


@dataclass(frozen=True, slots=True)
class Joined:
    path: Path
    format: str
    size: int
    duration_s: float
    ledger: Path
    warnings: tuple[str, ...] = ()
    left: tuple[Path, ...] = ()
    """Tracks that the product does not hold: they stay where they are."""


class Mux:
    """Several tracks into one file. They begin where their common clock says, not all at once."""

    def __init__(
        self,
        tracks: Sequence[Track],
        sources: Sequence[Path],
        found: Sequence[Found | None],
        path: Path,
        target: str,
        clock: Clock,
        made: list[Path],
        on_progress: Callable[[float], None],
        *,
        spends: Sequence[Path] = (),
    ) -> None:
        """`spends`: sources that go while they are read, because there is no room for them a second time (`spend`)."""
        refuse_format(target)
        self._tracks = tracks
        self._sources = sources
        self._found = found
        self._path = path
        self._target = target
        self._clock = clock
        self._made = made
        self._on_progress = on_progress
        self._spends = spends
        self._warnings: list[str] = []
        self._left: list[Path] = []

    async def run(self, ffmpeg: FfmpegFinder) -> Joined:
        await anyio.to_thread.run_sync(refuse_existing, self._path, self._path.with_suffix(LEDGER))
        program = await ffmpeg.find()
        starts = [await self._start(track) for track in self._tracks if track.kind != "subtitles"]
        late, shared = delays(starts)
        if not shared:
            self._warnings.append("the tracks do not share one clock: they were made to begin together")
        origin_s, begins_s = (starts[0] or 0.0) - late[0], max(0.0, self._tracks[0].begins_s - late[0])
        self._look_for_drift(late)
        inputs: list[_Input] = []
        for track, source, inside in zip(self._tracks, self._sources, self._found, strict=True):
            if track.kind != "subtitles":
                inputs.append((track, source, inside, late.pop(0)))
            elif (text := await self._text(source, origin_s, begins_s)) is not None:
                inputs.append((track, text, None, 0.0))
        return await self._make(program.path, inputs)

    async def _make(self, program: str | Path, inputs: Sequence[_Input]) -> Joined:
        temporary = self._path.with_name(self._path.name + CONVERTING)
        told = await anyio.to_thread.run_sync(ledger_of, self._sources[0])
        if self._spends:
            await self._mux(str(program), inputs, temporary, rehearses=True)
        try:
            poured = await self._mux(str(program), inputs, temporary)
            made = await probe(temporary)
            _compare(made, self._tracks, self._found, self._target)
            joined = await anyio.to_thread.run_sync(
                _settle, temporary, self._path, made, told, self._clock, besides(self._tracks)
            )
        except BaseException:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(remove, [temporary])
            raise
        for each in poured:
            await anyio.to_thread.run_sync(each.clear)
        return replace(joined, warnings=tuple(self._warnings), left=tuple(self._left))

    async def _mux(
        self, program: str, inputs: Sequence[_Input], temporary: Path, *, rehearses: bool = False
    ) -> list[Spending]:
        """
        Args:
            rehearses: nothing is kept, and nothing given back: whether it would come to an end.
        Returns: what is not whole any more, and may go.
        Raises: DiskFull, StorageError; ToolFailed.
        """
        pouring = {
            source: Spending(source, give_back=not rehearses)
            for _track, source, _inside, _late_s in inputs
            if source in self._spends
        }
        args = [program, *_QUIET, *_LOCAL]
        for track, source, _inside, late_s in inputs:
            args += ["-itsoffset", f"{late_s:.6f}"] if track.kind != "subtitles" else []
            args += ["-i", f"file:{pouring[source].fifo if source in pouring else source}"]
        args += [*_maps([each[0] for each in inputs], [each[2] for each in inputs], self._target)]
        if rehearses:  # Matroska takes whatever there is, and need not go back in what it writes
            args += ["-f", "matroska"]
        else:
            args += ["-f", _MUXERS[self._target], *(_AT_FRONT if self._target in {"mp4", "m4a"} else ())]
        try:
            for each in pouring.values():
                await anyio.to_thread.run_sync(each.begin)
            async with beside(*(each.pump for each in pouring.values())):
                out = os.devnull if rehearses else temporary
                await run([*args, "-y", f"file:{out}"], on_line=None if rehearses else self._on_line, nice=_NICE)
        except ToolFailed as exc:
            if "No space left on device" in str(exc.context.get("errors")):
                raise DiskFull(f"no space left for {self._path}", path=str(self._path)) from exc
            raise
        finally:
            with anyio.CancelScope(shield=True):
                for each in pouring.values():
                    await anyio.to_thread.run_sync(each.end)
        return [*pouring.values()]

    def _on_line(self, line: str) -> None:
        name, _, value = line.partition("=")
        media_s = max((each.media_s for each in self._found if each is not None), default=0.0)
        if name == "out_time_us" and value.strip().isdigit() and media_s:
            self._on_progress(_MUXED * min(1.0, int(value) / 1e6 / media_s))

    def _look_for_drift(self, late: Sequence[float]) -> None:
        """Tracks were given one clock each, and what they differ by in each stretch adds up."""
        if all(source == track.parts[0] for track, source in zip(self._tracks, self._sources, strict=True)):
            return
        seen = [each for each in self._found if each is not None]
        ends = [delay + each.media_s for delay, each in zip(late, seen, strict=True)]
        apart_s = max(ends) - min(ends)
        if apart_s > _DRIFT_S:
            self._warnings.append(
                f"the clocks of the tracks begin anew on the way, and their ends lie {apart_s:.1f} s apart: "
                "sound may be early or late"
            )

    async def _start(self, track: Track) -> float | None:
        """Where the raw track begins, whatever was made of it; None where it has no clock."""
        raw = track.parts[0]
        if raw.suffix in _CLOCKED:
            return (await probe(raw, depth="header")).start_s
        return await anyio.to_thread.run_sync(packed_start, raw)

    async def _text(self, raw: Path, origin_s: float, begins_s: float) -> Path | None:
        """A clean file of the subtitles; None where they stay beside the product."""
        if raw.suffix not in _TEXTS or self._target not in _TEXT_CODECS:
            self._warnings.append(f"{self._target} cannot take the subtitles {raw}: they stay as they are")
        elif self._sources[0] != self._tracks[0].parts[0]:
            self._warnings.append(f"the clock begins anew on the way, so that the subtitles {raw} stay as they are")
        else:
            clean = raw.with_name(f"{raw.stem}{_CLEAN}.vtt")
            self._made.append(clean)
            try:
                if await anyio.to_thread.run_sync(clean_subtitles, raw, origin_s, begins_s, clean):
                    return clean
                self._warnings.append(f"there is nothing in the subtitles {raw}: they stay as they are")
            except (MediaError, Unsupported) as exc:
                self._warnings.append(f"the subtitles {raw} cannot be read ({exc}): they stay as they are")
        self._left.append(raw)
        return None


def _maps(tracks: Sequence[Track], found: Sequence[Found | None], target: str) -> list[str]:
    """Options: what of which input goes in, how, and under what name."""
    options: list[str] = []
    counts = {"a": 0, "s": 0}
    has_sound = any(track.kind == "audio" for track in tracks)
    for number, (track, inside) in enumerate(zip(tracks, found, strict=True)):
        if track.kind == "subtitles":
            options += [
                "-map",
                f"{number}:s:0",
                f"-c:s:{counts['s']}",
                _TEXT_CODECS[target],
                *_named("s", counts["s"], track),
            ]
            counts["s"] += 1
            continue
        assert inside is not None
        if track.kind == "video" and target not in SOUND_ONLY:
            options += ["-map", f"{number}:v?", "-c:v", "copy"]
            if target == "mp4" and any(each.codec == "hevc" for each in inside.streams):
                options += ["-tag:v", "hvc1"]  # Apple's players take only this one
        sounds = [each for each in inside.streams if each.kind == "audio"]
        if _is_heard(track, has_sound):
            for place, sound in enumerate(sounds):
                copied = target != "mp4" or sound.codec in _SOUND_IN_MP4
                options += ["-map", f"{number}:a:{place}", f"-c:a:{counts['a']}", "copy" if copied else "aac"]
                options += _named("a", counts["a"], track.own_sound if track.own_sound and len(sounds) == 1 else track)
                counts["a"] += 1
    return options


def _is_heard(track: Track, has_sound: bool) -> bool:
    """Sound of its own stands in the place of the variant's, unless that is wanted too."""
    return track.kind == "audio" or track.own_sound is not None or not has_sound


def _named(kind: str, number: int, track: Track | Rendition) -> list[str]:
    tag = f"-metadata:s:{kind}:{number}"
    options: list[str] = []
    if track.language:
        short = track.language.partition("-")[0].lower()
        options += [tag, f"language={_THREE_LETTERS.get(short, short)}"]
    if track.name:
        options += [tag, f"title={track.name}", tag, f"handler_name={track.name}"]
    marks = "+".join(name for name, on in (("default", track.default), ("forced", track.forced)) if on)
    return [*options, f"-disposition:{kind}:{number}", marks or "0"]


def holds(target: str) -> bool:
    """Whether several tracks can be joined in it."""
    return target in _MUXERS


def refuse_format(target: str) -> None:
    """Raises: Unsupported when several tracks cannot be joined in it."""
    if not holds(target):
        raise Unsupported(f"several tracks cannot be joined in {target}; mp4 and mkv hold them")


def fits(found: Found) -> bool:
    """Whether MP4 holds it as it is."""
    return all(
        each.codec in (_IN_MP4 if each.kind == "video" else _SOUND_IN_MP4)
        for each in found.streams
        if each.kind in {"video", "audio"}
    )


def _compare(made: Found, tracks: Sequence[Track], found: Sequence[Found | None], target: str) -> None:
    """Raises: ToolFailed when the product does not hold what it was made of."""
    if made.error:
        raise ToolFailed(f"the product cannot be read to its end: {made.error}")
    main = found[0]
    assert main is not None
    has_picture = main.video is not None and target not in SOUND_ONLY
    picture, original = (made.video, main.video) if has_picture else (made.audio, main.audio)
    if picture is None or original is None:
        raise ToolFailed("the product has neither picture nor sound")
    if picture.packets != original.packets:
        raise ToolFailed(f"the product has {picture.packets} pictures, its source {original.packets}")
    slack_s = max(_SLACK_S, _SLACK_SHARE * original.duration_s)
    if abs(picture.duration_s - original.duration_s) > slack_s:
        raise ToolFailed(f"the product has {picture.duration_s:.3f} s, its source {original.duration_s:.3f} s")
    sounds = [each for each in made.streams if each.kind == "audio"]
    has_sound = any(track.kind == "audio" for track in tracks)
    sources = [
        each
        for track, inside in zip(tracks, found, strict=True)
        if inside is not None and _is_heard(track, has_sound)
        for each in inside.streams
        if each.kind == "audio"
    ]
    if len(sounds) != len(sources):
        raise ToolFailed(f"the product has {len(sounds)} sounds, its sources {len(sources)}")
    for sound, source in zip(sounds, sources, strict=True) if has_sound else ():
        if abs(sound.duration_s - source.duration_s) > slack_s:
            raise ToolFailed(
                f"a sound of the product has {sound.duration_s:.3f} s, its source {source.duration_s:.3f} s"
            )


def _settle(temporary: Path, path: Path, made: Found, told: bytes, clock: Clock, beside: Sequence[str]) -> Joined:
    """The product is good: make it last, write down what is in it, give it its name. Blocking."""
    size, ledger_path = temporary.stat().st_size, path.with_suffix(LEDGER)
    digest = ledgers.digest(temporary, lambda _count: None)
    product = Product(clock.now(), path.name, path.suffix[1:], size, made.media_s, digest, beside=tuple(beside))

    def write_down() -> None:
        with ledger_path.open("xb") as file:
            file.write(told)
        ledgers.append(ledger_path, [product])

    settle(temporary, path, write_down)
    return Joined(path, product.format, size, made.media_s, ledger_path)


def remove(files: Sequence[Path]) -> None:
    """With their ledgers, and the folder if nothing is left in it."""
    for path in files:
        path.unlink(missing_ok=True)
        path.with_suffix(LEDGER).unlink(missing_ok=True)
        folder = path.parent
        if folder.name.endswith(".tracks") and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
