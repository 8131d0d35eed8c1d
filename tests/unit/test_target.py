"""What the files of a recording are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from ouzel.base.errors import BadOption, OutputExists, OuzelError, StorageError
from ouzel.cli.target import read_target
from ouzel.engine import names as names_module
from ouzel.engine.finish import FormatWish
from ouzel.engine.names import Names, Target
from ouzel.model.naming import telling_name
from ouzel.model.stream import Stream
from ouzel.testing.clock import FakeClock

AS_IT_COMES = FormatWish()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/live/show.flv", "show"),
        ("/live/show/index.m3u8", "show"),
        ("/live/show/playlist.m3u8", "show"),
        ("/show/master.m3u8", "show"),
        ("/show/live.flv", "show"),
        ("/hls/show/720p/index-1.m3u8", "show"),
        ("/show/chunklist_w12345_b800000.m3u8", "show"),
        ("/app/show.stream/playlist.m3u8", "show"),
        ("/app/smil:show.smil/playlist.m3u8", "smil:show"),
        ("/%E7%9B%B4%E6%92%AD%E9%97%B4/index.m3u8", "直播间"),
        ("/show.v2", "show.v2"),
        ("/liveshow.ts", "liveshow"),
        ("/live_1234.flv", "live_1234"),
        ("/live.flv", "host.example"),
        ("/live/index.m3u8", "host.example"),
        ("/", "host.example"),
        ("", "host.example"),
    ],
)
def test_the_name_is_the_part_of_the_address_that_tells_something(path: str, name: str) -> None:
    assert telling_name(path, "host.example") == name


def target(folder: Path, *, stem: str | None = None, numbered: bool = False) -> Target:
    return Target(folder, stem, "{name}", numbered)


def touch(path: Path) -> str:
    path.touch()
    return path.name


def test_names_that_are_taken_are_numbered(tmp_path: Path) -> None:
    names, stream = Names(), Stream("http://h/show.flv")
    (tmp_path / "show_2.mp4").touch()
    given = []
    for _ in range(3):
        path_for = names.maker(target(tmp_path), stream, FormatWish("mp4"), FakeClock())
        given.append(touch(path_for(1, "flv")))
    assert given == ["show.flv", "show_3.flv", "show_4.flv"]


def test_the_parts_of_a_recording_keep_its_number(tmp_path: Path) -> None:
    names, stream = Names(), Stream("http://h/show.flv")
    one = names.maker(target(tmp_path), stream, AS_IT_COMES, FakeClock())
    two = names.maker(target(tmp_path), stream, AS_IT_COMES, FakeClock())
    assert [touch(one(1, "ts")), touch(two(1, "ts"))] == ["show.ts", "show_2.ts"]
    assert [touch(two(2, "ts")), touch(one(2, "mp4")), touch(one(3, "ts"))] == [
        "show_2-002.ts",
        "show-002.mp4",
        "show-003.ts",
    ]


def test_many_channels_of_one_name_are_not_each_counted_from_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    really = names_module._taken

    def counted(path: Path, wish: FormatWish) -> bool:
        nonlocal looks
        looks += 1
        return really(path, wish)

    monkeypatch.setattr(names_module, "_taken", counted)
    names = Names()
    for _ in range(200):
        touch(names.maker(target(tmp_path), Stream("http://h/show.flv"), AS_IT_COMES, FakeClock())(1, "flv"))
    assert len(list(tmp_path.iterdir())) == 200
    assert looks <= 3 * 200


def test_a_name_that_the_user_gave_is_not_changed_but_a_later_part_is_no_reason_to_end(tmp_path: Path) -> None:
    given = target(tmp_path, stem="mine", numbered=True)
    path_for = Names().maker(given, Stream("http://h/x.flv"), AS_IT_COMES, FakeClock())
    (tmp_path / "mine-002.flv").touch()
    assert touch(path_for(1, "flv")) == "mine-001.flv"
    assert touch(path_for(2, "flv")) == "mine-002_2.flv"
    with pytest.raises(OutputExists, match="mine-001"):
        Names().maker(given, Stream("http://h/x.flv"), AS_IT_COMES, FakeClock())(1, "flv")


def test_what_an_output_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.mp4").mkdir()

    def read(output: str | None, *, several: bool = False) -> tuple[Path, str | None, str | None]:
        found, ending = read_target(output, template="{name}", several=several, numbered=False)
        return found.folder, found.stem, ending

    assert read(None) == (tmp_path, None, None)
    assert read("a/b.mp4") == (tmp_path / "a", "b", "mp4")
    assert read("a/b.MP3") == (tmp_path / "a", "b", "mp3")
    assert read("a/b.txt") == (tmp_path / "a/b.txt", None, None)
    assert read("a.ts/") == (tmp_path / "a.ts", None, None)
    assert read("folder.mp4") == (tmp_path / "folder.mp4", None, None)
    assert read("~/b.ts")[0] == Path.home()
    with pytest.raises(BadOption, match="give a folder"):
        read("b.ts", several=True)


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ("~no-such-user/b.ts", BadOption),
        ("show.mov", BadOption),
        ("-", BadOption),
        ("link.ts", OutputExists),
        ("x" * 250 + ".ts", StorageError),  # with .part it is too long
        ("x" * 300 + ".ts", StorageError),
    ],
)
def test_an_output_that_cannot_be_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, error: type[OuzelError]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.ts").symlink_to("nowhere")
    with pytest.raises(error):
        read_target(output, template="{name}", several=False, numbered=False)


def test_a_folder_may_be_called_like_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.avi").mkdir()
    for output in ("new.avi/", "old.avi"):
        target, ending = read_target(output, template="{name}", several=False, numbered=False)
        assert (target.folder, target.stem, ending) == (tmp_path / output, None, None)


def test_a_working_folder_that_was_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here").rmdir()
    for output in (None, "b.ts"):
        with pytest.raises(StorageError, match="No such file"):
            read_target(output, template="{name}", several=False, numbered=False)


@pytest.mark.parametrize("output", ["/dev/null", "notes", "notes/"])
def test_what_exists_and_is_no_folder_is_refused(output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").touch()
    with pytest.raises(OutputExists, match=f"^{output} exists already, and is not a folder$"):
        read_target(output, template="{name}", several=False, numbered=False)
