"""Streams that are kept because something was, or might be, wrong with them; and what becomes of each.

`tests/data/flv/expected.json` was written by looking at the results, once; a change in it needs a reason.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import xxhash
from tests.flv_source import Recorder

from ouzel.base.errors import MediaError
from ouzel.formats.flv import FlvRules, modernise

FOLDER = Path(__file__).parent.parent / "data" / "flv"
CORPUS = sorted(FOLDER.glob("*.flv"))
RULES = FlvRules(index_room=0, search_bytes=4096)


def outcome(data: bytes, piece: int) -> dict[str, object]:
    """What a file of the corpus gives: the error, if there is one, and what was kept before it."""
    recorder, error = Recorder(RULES, piece=piece), ""
    try:
        recorder.feed(data)
    except MediaError as exc:
        error = exc.code
    recorder.cut().check()
    return {
        "error": error,
        "replays": len(recorder.replays),
        "files": [
            {
                "tracks": [track.codec for track in file.head.tracks],
                "frames": [span.frames for span in file.spans],
                "seconds": file.spans[-1].end_s if file.spans else 0,
                "damage": sorted({span.damage for span in file.spans if span.damage}),
                "media": xxhash.xxh3_64_hexdigest(file.media),
            }
            for file in recorder.files
        ],
    }


def test_the_corpus_is_all_there() -> None:
    assert {path.stem for path in CORPUS} == json.loads((FOLDER / "expected.json").read_text()).keys()


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_becomes_of_it(path: Path) -> None:
    expected = json.loads((FOLDER / "expected.json").read_text())[path.stem]
    for piece in (1 << 20, 1000, 13):
        assert outcome(path.read_bytes(), piece) == expected


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_conversion_raises_nothing_but_what_is_promised(path: Path) -> None:
    try:
        for _ in modernise([path.read_bytes()]):
            pass
    except MediaError:
        pass
