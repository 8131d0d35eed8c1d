"""Whether a product holds what it was made of: the same streams, as many pictures, the same length. Pure."""

from __future__ import annotations

from dataclasses import replace

from ouzel.base.errors import ToolFailed
from ouzel.engine.ledgers import Held
from ouzel.engine.recipes import Recipe, family
from ouzel.model.ledger import Ledger
from ouzel.model.media import Found

_SLACK_S, _SLACK_SHARE = 0.5, 0.001


def compare(source: Found, made: Found, recipe: Recipe, held: Ledger | None) -> None:
    """Whether a product holds what it was made of: the same streams, as many pictures, the same length.

    Raises: ToolFailed that says what differs.
    """
    compare_streams(made, recipe)
    pictures = [s.packets for s in made.streams if s.kind == "video"]
    wanted = [s.packets for s in recipe.streams if s.kind == "video"]
    if pictures != wanted:
        raise ToolFailed(f"the product has {pictures} pictures, its source {wanted}")
    compare_times("its source", made.media_s, replace(source, streams=[*recipe.streams]).media_s)
    leading = made.video or made.audio
    if held is not None and leading is not None and (leading.kind == "video" or source.video is None):
        compare_times("the ledger", leading.duration_s, held.media_s)


def told_whole(held: Held | None) -> Ledger | None:
    """The ledger, if it tells of all that is in its file."""
    if held is None or held.product is not None or held.ledger.closing is None or held.ledger.damaged:
        return None
    return None if held.opening.download else held.ledger  # that one says what the playlist has announced


def compare_piece(made: Found, recipe: Recipe, wanted_s: float) -> None:
    """As `compare`, for a part of the source. Raises: ToolFailed."""
    compare_streams(made, recipe)
    leading = made.video or made.audio
    compare_times("the piece", leading.duration_s if leading else 0.0, wanted_s)


def compare_streams(made: Found, recipe: Recipe) -> None:
    codecs = sorted(s.codec for s in made.streams if s.kind in {"video", "audio"})
    if sorted(map(family, codecs)) != sorted(map(family, recipe.codecs)):
        raise ToolFailed(f"the product holds {', '.join(codecs)}, not {', '.join(sorted(recipe.codecs))}")
    if made.error:
        raise ToolFailed(f"the product cannot be read to its end: {made.error}")


def compare_times(other: str, made_s: float, other_s: float) -> None:
    if abs(made_s - other_s) > max(_SLACK_S, _SLACK_SHARE * other_s):
        raise ToolFailed(f"the product has {made_s:.3f} s, {other} {other_s:.3f} s")
