"""The composition root of one-shot recording: the only place where its concrete objects are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ouzel import __version__
from ouzel.base.errors import BadOption, OutputExists
from ouzel.base.urls import redact
from ouzel.engine.disk import DiskGate
from ouzel.engine.finish import ENDINGS, Finisher, FormatWish
from ouzel.engine.policy import Policy
from ouzel.engine.recorder import Recorder, RecordSpec
from ouzel.engine.sinks.file import LEDGER, PART
from ouzel.engine.sources.context import SourceContext
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.formats.shape import Container
from ouzel.model.events import Listener
from ouzel.model.naming import check_template, part_name, render_name
from ouzel.model.stream import DirectResolver, Stream
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.guard import Scope
from ouzel.system.http import HttpClient

FORMATS = ("ts", "mkv", "mp4", "flv", "mp3", "m4a")


@dataclass(frozen=True, slots=True)
class Target:
    """Where the files of one recording go."""

    folder: Path
    stem: str | None
    """A name that the user gave for one file; None: made from the template."""
    template: str
    numbered: bool
    """The recording may be split: its first file has a number too."""


def read_target(output: str | None, *, template: str, several: bool, numbered: bool) -> tuple[Target, str | None]:
    """The target, and the format that the output's ending asks for (None when it asks for none).

    Raises: BadOption, OutputExists.
    """
    check_template(template)
    if output is None:
        return Target(Path.cwd(), None, template, numbered), None
    path = Path(output).expanduser()
    ending = path.suffix.lstrip(".").lower()
    if output.endswith("/") or path.is_dir() or ending not in FORMATS:
        return Target(path.absolute(), None, template, numbered), None
    if several:
        raise BadOption(f"{output} is one file, but there are several addresses: give a folder")
    target = Target(path.absolute().parent, path.stem, template, numbered)
    for name in (path, path.with_suffix(LEDGER), path.with_name(path.name + PART)):
        if name.exists():
            raise OutputExists(f"{name} exists already; give another name or remove it")
    return target, ending


def path_maker(target: Target, stream: Stream, wish: FormatWish, clock: Clock) -> Callable[[int, Container], Path]:
    """The function that names the files of a recording: part number and container to a path that does not exist yet."""
    address = urlsplit(stream.url)
    last = unquote(address.path.rstrip("/").rpartition("/")[2])
    fields = {
        "name": last.rpartition(".")[0] or last or (address.hostname or "recording"),
        "host": address.hostname or "",
        "quality": stream.quality,
        "start": clock.now().astimezone(),
    }
    stem = target.stem if target.stem is not None else render_name(target.template, fields)

    def path_for(part: int, container: Container) -> Path:
        for attempt in range(1, 1000):
            name = stem if attempt == 1 or target.stem is not None else f"{stem}_{attempt}"
            path = target.folder / f"{part_name(name, part, numbered=target.numbered)}.{ENDINGS[container]}"
            if not _taken(path, wish):
                return path
            if target.stem is not None:
                raise OutputExists(f"{path.with_suffix('')}.* exists already; give another name or remove it")
        raise OutputExists(f"{target.folder / stem}: a thousand files of this name exist")

    return path_for


def _taken(path: Path, wish: FormatWish) -> bool:
    endings = [path.suffix, LEDGER] + ([f".{wish.format}"] if wish.format else [])
    return any(path.with_suffix(e).exists() for e in endings) or path.with_name(path.name + PART).exists()


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all recordings of one process share."""

    http: HttpClient
    clock: Clock
    policy: Policy
    gate: DiskGate
    ffmpeg: FfmpegFinder


def build_recorder(
    shop: Workshop,
    stream: Stream,
    *,
    cookies: Callable[[str], str | None],
    target: Target,
    wish: FormatWish,
    limits: TapeLimits,
    listener: Listener,
    wait: bool,
    from_start: bool,
) -> tuple[Recorder, Tape]:
    """One recording, ready to run."""
    source = redact(stream.url)
    tape = Tape(
        path_maker(target, stream, wish, shop.clock),
        source=source,
        software=f"ouzel {__version__}",
        clock=shop.clock,
        limits=limits,
        listener=listener,
    )
    context = SourceContext(
        http=shop.http,
        clock=shop.clock,
        tape=tape,
        policy=shop.policy,
        scope=Scope.public(),
        ffmpeg=shop.ffmpeg,
        cookies=cookies,
        from_start=from_start,
    )
    spec = RecordSpec(source, DirectResolver(stream), wait)
    return Recorder(spec, context, shop.gate, Finisher(tape, wish, shop.ffmpeg)), tape
