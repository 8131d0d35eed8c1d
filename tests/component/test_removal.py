"""Files that go, and those beside them that do not."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ouzel.base.errors import OutsideRoot
from ouzel.engine.removal import check_inside, remove_file, unknown_bytes
from ouzel.engine.sinks import file
from ouzel.formats.shape import Head
from ouzel.model.ledger import render
from ouzel.model.ledger_lines import Opening, Product

AT = datetime(2026, 11, 23, tzinfo=UTC)


def put(path: Path, data: bytes = b"x" * 10_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def put_ledger(media: Path, recording: str = "r1", *products: str) -> Path:
    lines = [Opening(media.name, "ts", AT, "http://h/", 1, "test", recording=recording)]
    data = b"".join(map(render, lines)) + b"".join(
        render(Product(AT, name, "mkv", 3, 1.0, "0" * 16)) for name in products
    )
    return put(media.with_suffix(".ledger"), data)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_all_that_belongs_to_a_file_goes_with_the_folders_that_are_empty_then(tmp_path: Path) -> None:
    media = put(tmp_path / "site" / "who" / "a.ts")
    put_ledger(media, "r1", "a.mkv")
    for name in ("a.mkv", "a.mp4.converting", "a.ledger.damaged", "a.ledger.new"):
        put(media.with_name(name))
    put(tmp_path / "site" / "other" / "b.ts")

    freed = remove_file(tmp_path, "site/who/a.ts", "r1")

    assert names(tmp_path) == ["site", "site/other", "site/other/b.ts"]
    assert freed >= 5 * 10_000
    assert remove_file(tmp_path, "site/who/a.ts", "r1") == 0, "once more, as after a crash"


def test_what_steps_have_not_finished_goes_too(tmp_path: Path) -> None:
    media = put(tmp_path / "a.mp4")
    for name in ("poster.jpg", "storyboard-12.jpg", "storyboard.vtt", "clock.srt", "hevc.mp4", "joined.mkv"):
        put(media.with_name(f"a.{name}.converting"))
    put(tmp_path / "a.poster.jpg")

    remove_file(tmp_path, "a.mp4", "r1")

    assert names(tmp_path) == ["a.poster.jpg"], "what has its name has a row of its own"
    assert remove_file(tmp_path, "a.poster.jpg", "r1") > 0
    assert names(tmp_path) == []


def test_what_only_looks_as_if_it_belonged_to_it_stays(tmp_path: Path) -> None:
    media = put(tmp_path / "who" / "a.ts")
    put_ledger(media, "r1", "../a.mkv", "b.ts")
    others = ["who/a.b.ts", "who/a.mp4", "who/a.srt", "who/ab.ts", "who/b.ts", "a.mkv", "who/a.b.mp4.converting"]
    for name in others:
        put(tmp_path / name)

    remove_file(tmp_path, "who/a.ts", "r1")

    assert names(tmp_path) == sorted(["who", *others])


def test_a_ledger_that_is_about_another_recording_stays_with_what_it_tells_of(tmp_path: Path) -> None:
    media = put(tmp_path / "a.mp4")
    put_ledger(put(tmp_path / "a.ts"), "another", "a.mp4")

    remove_file(tmp_path, media.name, "r1")

    assert names(tmp_path) == ["a.ledger", "a.ts"]


def test_a_file_that_is_no_ledger_stays_though_it_is_called_so(tmp_path: Path) -> None:
    put(tmp_path / "a.ts")
    put(tmp_path / "a.ledger", b"my accounts\n")

    remove_file(tmp_path, "a.ts", "r1")

    assert names(tmp_path) == ["a.ledger"]


@pytest.mark.parametrize("path", ["../out/a.ts", "/etc/a.ts", "", "who/../../out/a.ts", "a\0b"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    root, secret = tmp_path / "root", put(tmp_path / "out" / "a.ts")
    root.mkdir()

    for refuse in (check_inside, remove_file):
        with pytest.raises(OutsideRoot):
            refuse(root, path, "r1")

    assert secret.exists()


@pytest.mark.parametrize("link", ["who", "who/a.ts", "who/a.ledger"])
def test_no_link_is_followed_and_nothing_of_the_file_goes(tmp_path: Path, link: str) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    put_ledger(put(root / "who" / "a.ts"))
    (root / link).rename(elsewhere)
    (root / link).symlink_to(elsewhere)
    before = names(tmp_path)

    for refuse in (check_inside, remove_file):
        with pytest.raises(OutsideRoot):
            refuse(root, "who/a.ts", "r1")

    assert names(tmp_path) == before


def test_a_root_may_itself_be_a_link(tmp_path: Path) -> None:
    put(tmp_path / "disk" / "a.ts")
    (tmp_path / "root").symlink_to(tmp_path / "disk")

    remove_file(tmp_path / "root", "a.ts", "r1")

    assert names(tmp_path / "disk") == []


def test_what_has_another_name_elsewhere_frees_nothing(tmp_path: Path) -> None:
    os.link(put(tmp_path / "a.ts"), tmp_path / "kept.ts")

    assert remove_file(tmp_path, "a.ts", "r1") == 0
    assert names(tmp_path) == ["kept.ts"]


def test_what_no_row_knows(tmp_path: Path) -> None:
    for name in ("known", "lost"):
        put_ledger(put(tmp_path / "who" / f"{name}.ts", b"x" * 1000))
    put_ledger(put(tmp_path / "by hand.ts", b"x" * 1000), recording="")
    put(tmp_path / "another program's.ts")
    size = (tmp_path / "who" / "lost.ledger").stat().st_size

    assert unknown_bytes(tmp_path, {"who/known"}) == 1000 + size
    assert unknown_bytes(tmp_path / "not there", set()) == 0


def test_a_folder_that_goes_while_a_file_begins_in_it_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = file.make_folder, list[Path]()

    def and_gone(folder: Path) -> None:
        make(folder)
        if not made:
            folder.rmdir()
        made.append(folder)

    monkeypatch.setattr(file, "make_folder", and_gone)
    path = tmp_path / "who" / "a.ts"
    sink = file.FileSink(path, Opening("a.ts", "ts", AT, "http://h/", 1, "test"), Head("ts", (), b""))
    sink.discard()
    assert len(made) == 2
