"""Where a recorder is put together: what all recordings of a process share, and what each has for itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from ouzel import __version__
from ouzel.base.urls import redact
from ouzel.engine.disk import DiskGate
from ouzel.engine.names import Names, Target, Teller
from ouzel.engine.policy import Policy
from ouzel.model.events import Listener
from ouzel.model.stream import DirectResolver, Resolver, Stream, Turns
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.guard import Scope
from ouzel.system.http import HttpClient

if TYPE_CHECKING:
    from ouzel.engine.finish import FormatWish
    from ouzel.engine.parts import Broken
    from ouzel.engine.recorder import Recorder
    from ouzel.engine.tape import Tape, TapeLimits


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all recordings of one process share."""

    http: HttpClient
    clock: Clock
    policy: Policy
    gate: DiskGate
    ffmpeg: FfmpegFinder
    names: Names = field(default_factory=Names)
    conversions: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a platform."""

    resolver: Resolver
    told: Teller
    """What the platform tells for names of files."""
    turns: Turns | None = None
    has_others: bool = True
    """Where a stream brings no media, it may have another one."""


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
    keep_ads: bool = False,
    page: Page | None = None,
    broken: Broken | None = None,
    recording: str = "",
) -> tuple[Recorder, Tape]:
    """One recording, ready to run.

    `page`: a platform's, and what asks it. `broken`: what was recorded
    before. `recording`: its id, where there is a library.
    """
    from ouzel.engine.finish import Finisher  # 4 MB with the formats: who only watches does not pay
    from ouzel.engine.recorder import Recorder, RecordSpec
    from ouzel.engine.sources.context import SourceContext
    from ouzel.engine.tape import Tape

    source, told = redact(stream.url), (page.told,) if page else ()
    tape = Tape(
        shop.names.maker(target, stream, wish, shop.clock, *told),
        source=source,
        software=f"ouzel {__version__}",
        clock=shop.clock,
        limits=limits,
        listener=listener,
        broken=broken,
        recording=recording,
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
        keep_ads=keep_ads,
        after=broken.sequence if broken else None,
    )
    if page is not None:
        spec = RecordSpec(source, page.resolver, wait, page.turns, page.has_others, resumed=broken is not None)
    else:
        spec = RecordSpec(source, DirectResolver(stream), wait, resumed=broken is not None)
    return Recorder(spec, context, shop.gate, Finisher(tape, wish, shop.ffmpeg, shop.conversions)), tape
