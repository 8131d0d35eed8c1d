"""From fetched tracks to what was wished for: brought home as they are, or joined; or it was there before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import anyio.to_thread

from ouzel.base.errors import Incomplete, OutputExists
from ouzel.engine.download.home import bring_home, clear_tracks, name_of, product_of, refuse_taken
from ouzel.engine.download.sight import Sight, TrackPlan, besides
from ouzel.engine.download.tally import Tally
from ouzel.engine.download.track import TrackFile
from ouzel.engine.sinks.file import LEDGER
from ouzel.model.downloads import DownloadOutcome, DownloadWish, Stage
from ouzel.model.flow import GapCode
from ouzel.model.pieces import identifier
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder


@dataclass(frozen=True, slots=True)
class Fetched:
    """One track that is there."""

    plan: TrackPlan
    files: tuple[TrackFile, ...]


class Finish:
    """Of one download.

    Args:
        stem: what its file is called, without an ending.
        stage: told what is done now.
    """

    def __init__(
        self,
        wish: DownloadWish,
        stem: str,
        ffmpeg: FfmpegFinder,
        clock: Clock,
        tally: Tally,
        stage: Callable[[Stage], None],
        title: str,
    ) -> None:
        self._wish = wish
        self._stem = stem
        self._ffmpeg = ffmpeg
        self._clock = clock
        self._tally = tally
        self._stage = stage
        self._title = title

    async def there(self, sight: Sight) -> DownloadOutcome | None:
        """It was made before; what a kill has left of its tracks goes.

        Raises: OutputExists, with `other`: of the same pictures, but with other tracks than are wished for now.
        """
        main, wish, stem = sight.tracks[0], self._wish, self._stem
        if wish.keep_tracks or not (len(sight.tracks) > 1 or wish.format is not None or main.is_broken):
            return None
        names = [*map(identifier(main.pieces), main.pieces)]
        held = await anyio.to_thread.run_sync(product_of, wish.folder, stem, wish.format, names)
        if held is None:
            return None
        has, wants = held.product.beside if held.product else (), besides(sight.tracks)
        if has != wants:
            raise OutputExists(
                f"{held.media} is there already, with other tracks ({_listed(has)}, not {_listed(wants)}); "
                "give another name or remove it",
                other=True,
            )
        await anyio.to_thread.run_sync(clear_tracks, wish.folder, stem)
        self._tally.pieces_done = self._tally.pieces
        path, made = held.media, held.product
        size, media_s = (made.size, made.duration_s) if made else (path.stat().st_size, held.ledger.media_s)
        return DownloadOutcome(
            path, held.ledger_path, path.suffix[1:], size, media_s, self._tally.pieces, 0, title=self._title
        )

    async def look_ahead(self, sight: Sight, main: Path) -> None:
        """What would make it fail in the end is told before anything is fetched.

        Args:
            main: the main track's file, without its ending; not where the product will stand.
        Raises: OutputExists, with `other`; Unsupported; StorageError.
        """
        wish, track = self._wish, sight.tracks[0]
        if len(sight.tracks) > 1 and wish.format is not None:
            from ouzel.engine.download.mux import refuse_format  # and with it the formats

            refuse_format(wish.format)
        native = "ts" if track.pieces[0].segment.map is None else "mp4"
        ending = wish.format or ("mp4" if len(sight.tracks) > 1 else native)
        names = [*map(identifier(track.pieces), track.pieces)]
        if await anyio.to_thread.run_sync(product_of, wish.folder, self._stem, wish.format, names) is None:
            await anyio.to_thread.run_sync(refuse_taken, wish.folder / f"{self._stem}.{ending}", main)

    async def run(self, fetched: list[Fetched]) -> DownloadOutcome:
        """Raises: Incomplete, and as `join`."""
        outcome = self._outcome(fetched)
        if outcome.gaps and not self._wish.allow_gaps:
            raise Incomplete(_missing(outcome), outcome=outcome)
        fetched = await self._one_clock(fetched)
        if not self._is_joined(fetched):
            return await self._brought_home(outcome)
        self._stage("muxing")
        parts = _parts(fetched)
        if not parts:
            words = "the tracks change on the way, each at other places: they stay as they are"
            return replace(outcome, warnings=(*outcome.warnings, words))
        return await self._joined(outcome, parts)

    def _outcome(self, fetched: Sequence[Fetched]) -> DownloadOutcome:
        gaps = tuple(gap for track in fetched for file in track.files for gap in file.gaps)
        main, paths = fetched[0].files[0], tuple(file.path for track in fetched for file in track.files)
        return DownloadOutcome(
            main.path,
            main.path.with_suffix(".ledger"),
            main.path.suffix.lstrip("."),
            sum(file.size for track in fetched for file in track.files),
            sum(file.media_s for file in fetched[0].files),
            self._tally.pieces,
            self._tally.fetched,
            gaps,
            paths[1:],
            warnings=tuple(warning for track in fetched for file in track.files for warning in file.warnings),
            title=self._title,
        )

    async def _joined(self, outcome: DownloadOutcome, parts: Sequence[Sequence[Fetched]]) -> DownloadOutcome:
        """A file of each part, NAME_2 and so on after the first."""
        from ouzel.engine.download.join import Joined, Track, join  # and with it the formats

        wish, made = self._wish, list[Joined]()
        for number, part in enumerate(parts, 1):
            tracks = [
                Track(
                    each.plan.kind,
                    tuple(file.path for file in each.files),
                    each.plan.language,
                    each.plan.name,
                    each.plan.default,
                    each.plan.forced,
                    each.plan.begins_s,
                    each.plan.own_sound,
                )
                for each in part
            ]
            made.append(
                await join(
                    tracks,
                    wish.folder / (self._stem if number == 1 else f"{self._stem}_{number}"),
                    wish.format,
                    ffmpeg=self._ffmpeg,
                    clock=self._clock,
                    on_progress=lambda share, done=number - 1: self._share((done + share) / len(parts)),
                    keep_tracks=wish.keep_tracks,
                )
            )
        main, held = made[0], {file.path for part in parts for each in part for file in each.files}
        apart = [path for path in (outcome.path, *outcome.tracks) if path not in held]
        words = [f"the programme changes on the way: it is in {len(parts)} files"] if len(parts) > 1 else []
        words += [f"the subtitles {path} stay as they are" for path in apart]
        left = [path for each in made for path in each.left]
        return replace(
            outcome,
            path=main.path,
            ledger=main.ledger,
            format=main.format,
            size=sum(each.size for each in made),
            media_s=sum(each.duration_s for each in made),
            tracks=(
                *(each.path for each in made[1:]),
                *((outcome.path, *outcome.tracks) if wish.keep_tracks else (*left, *apart)),
            ),
            warnings=(*outcome.warnings, *(word for each in made for word in each.warnings), *words),
        )

    async def _one_clock(self, fetched: list[Fetched]) -> list[Fetched]:
        """A clock that begins anew is set right in place, where that can be done; tracks that are kept stay as they came."""
        from ouzel.engine.download.one_clock import is_begun, set_clock  # and with it the formats

        files = [file for track in fetched for file in track.files]
        main = files[0]
        begun = await anyio.to_thread.run_sync(is_begun, main.path)
        if not begun and (self._wish.keep_tracks or not main.broken or len(files) > len(fetched)):
            return fetched
        if any(track.plan.kind == "subtitles" for track in fetched):  # they are set by the clock that the server has
            return fetched
        self._stage("checking")
        if not await anyio.to_thread.run_sync(set_clock, [file.path for file in files]):
            return fetched
        return [Fetched(each.plan, (replace(each.files[0], broken=False),)) for each in fetched]

    async def _brought_home(self, outcome: DownloadOutcome) -> DownloadOutcome:
        """Files that lay among tracks, because the playlist told of another clock than they have, get the name that is wanted."""
        if outcome.path.parent == self._wish.folder:
            return outcome
        old = (outcome.path, *outcome.tracks)
        new = [self._wish.folder / name_of(self._stem, part, path.suffix[1:]) for part, path in enumerate(old, 1)]
        await anyio.to_thread.run_sync(bring_home, old, new)
        return replace(outcome, path=new[0], ledger=new[0].with_suffix(LEDGER), tracks=tuple(new[1:]))

    def _is_joined(self, fetched: Sequence[Fetched]) -> bool:
        native = fetched[0].files[0].path.suffix.lstrip(".")
        return len(fetched) > 1 or self._wish.format not in {None, native} or _begins_anew(fetched[0])

    def _share(self, share: float) -> None:
        self._tally.share = share


def _listed(tracks: Sequence[str]) -> str:
    return ", ".join(tracks) or "none"


def _parts(fetched: Sequence[Fetched]) -> list[list[Fetched]]:
    """What belongs together of tracks that change on the way; nothing where they do so at different places."""
    if all(len(each.files) == 1 for each in fetched):
        return [[*fetched]]
    media = [each for each in fetched if each.plan.kind != "subtitles"]
    count = len(media[0].files)
    if any(len(each.files) != count for each in media):
        return []
    return [[Fetched(each.plan, (each.files[number],)) for each in media] for number in range(count)]


def _begins_anew(track: Fetched) -> bool:
    """Whether it does, as the playlist says. What it does not say is a warning: its file has its own name already."""
    return track.plan.is_broken and any(file.broken for file in track.files)


def _missing(outcome: DownloadOutcome) -> str:
    gaps = list(outcome.gaps)
    seconds = sum(gap.missing_s for gap in gaps)
    more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    missing = (
        f"{len(gaps)} of {outcome.pieces} segments are missing ({seconds:.1f} s): number {gaps[0].first_sequence}, "
    )
    holds = f"{gaps[0].why}{more}; {outcome.path} holds the others"
    if all(gap.code is GapCode.LISTED_GAP for gap in gaps):
        return f"{missing}{holds}; the playlist itself leaves these out: allow gaps, and it is whole"
    return f"{missing}{holds}, and 'ouzel repair' fetches what is missing"
