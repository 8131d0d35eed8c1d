"""`ouzel repair`, the real program: what a server did not have at first is put where it belongs."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.command import Done, ouzel
from tests.e2e.test_download import KEY, Server, media

from ouzel.model import ledger
from ouzel.model.ledger_lines import CutLine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("vod")
    media(made, "clear", "-hls_segment_filename", "clear%02d.ts")
    (made / "key.bin").write_bytes(KEY)
    (made / "keys").write_text("key.bin\nkey.bin\n")
    media(made, "locked", "-hls_key_info_file", "keys", "-hls_segment_filename", "locked%02d.ts")
    moving = ("-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "movie-init.mp4")
    media(made, "movie", *moving, "-hls_segment_filename", "movie%02d.m4s")
    sound = ["-f", "lavfi", "-i", "sine=880", "-t", "12", "-c:a", "aac", "-f", "hls", "-hls_time", "1"]
    listed = ["-hls_playlist_type", "vod", "-hls_segment_filename", "sound%02d.ts", "sound.m3u8"]
    subprocess.run(["ffmpeg", "-v", "error", *sound, *listed], cwd=made, check=True)
    (made / "master.m3u8").write_text(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="sound.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=160x90,AUDIO="a"\nclear.m3u8\n'
    )
    return made


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with Server(folder) as made, ThreadPoolExecutor(1) as beside:
        beside.submit(made.serve_forever, 0.05)
        yield made
        made.shutdown()


def run(command: str, *args: object, code: int = 0) -> Done:
    done = ouzel(*map(str, args), "--json", cwd=Path("/"), command=command)
    assert done.code == code, done.out + done.err
    return done


def repair(*args: object, code: int = 0) -> dict[str, Any]:
    return json.loads(run("repair", *args, code=code).out.splitlines()[-1])


def download(server: Server, playlist: str, to: Path, *options: str, missing: set[str], code: int = 3) -> Path:
    """Returns: where it is, by its report."""
    server.missing = missing
    done = run("download", server.url(playlist), "-o", to, "--profile", "fast", *options, code=code)
    server.asked.clear()
    server.missing = set()
    return Path(json.loads(done.out.splitlines()[-1])["downloads"][0]["path"])


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("playlist", "missing"),
    [
        ("clear.m3u8", {"clear03.ts", "clear07.ts"}),
        ("clear.m3u8", {"clear00.ts", "clear04.ts", "clear05.ts", "clear11.ts"}),
        ("locked.m3u8", {"locked03.ts", "locked07.ts"}),
        ("movie.m3u8", {"movie00.m4s", "movie04.m4s", "movie05.m4s"}),
    ],
)
def test_what_was_missing_is_put_where_it_belongs(
    server: Server, tmp_path: Path, playlist: str, missing: set[str]
) -> None:
    whole = download(server, playlist, tmp_path / "whole", missing=set(), code=0)
    holed = download(server, playlist, tmp_path / "holed", missing=missing)
    assert sha(holed) != sha(whole)
    run("verify", holed, code=3)
    done = repair(holed)
    assert (done["event"], done["filled"], done["left"]) == ("repaired", len(missing), [])
    assert {name for name in server.asked if name.endswith((".ts", ".m4s"))} == missing
    assert sha(holed) == sha(whole)
    run("verify", holed)
    assert not holed.with_name(holed.name + ".part").exists()
    server.asked.clear()
    assert repair(holed)["filled"] == 0
    assert server.asked == []


def test_what_still_cannot_be_had_stays_a_gap(server: Server, folder: Path, tmp_path: Path) -> None:
    holed = download(server, "clear.m3u8", tmp_path, missing={"clear03.ts", "clear07.ts"})
    server.missing = {"clear07.ts"}
    done = repair(holed, "--profile", "fast", code=3)
    assert (done["filled"], [gap["first_sequence"] for gap in done["left"]]) == (1, [7])
    assert json.loads(run("verify", holed, code=3).out)["missing_s"] == pytest.approx(1.0)
    before = sha(holed)
    repair(holed, "--profile", "fast", code=3)
    assert sha(holed) == before
    server.missing = set()
    repair(holed)
    assert holed.read_bytes() == b"".join(path.read_bytes() for path in sorted(folder.glob("clear*.ts")))


def test_a_part_of_the_programme_is_repaired_as_that_part(server: Server, folder: Path, tmp_path: Path) -> None:
    holed = download(server, "clear.m3u8", tmp_path, "--from", "3", "--to", "8", missing={"clear05.ts"})
    repair(holed)
    wanted = [folder / f"clear{number:02d}.ts" for number in range(3, 8)]
    assert holed.read_bytes() == b"".join(path.read_bytes() for path in wanted)


def test_an_address_with_a_secret_is_asked_for(server: Server, folder: Path, tmp_path: Path) -> None:
    holed = download(server, "clear.m3u8?token=0123456789abcdef", tmp_path, missing={"clear05.ts"})
    assert b"0123456789abcdef" not in holed.with_suffix(".ledger").read_bytes()
    assert "--url" in run("repair", holed, code=2).err
    repair(holed, "--url", server.url("clear.m3u8?token=fedcba9876543210"))
    assert holed.read_bytes() == b"".join(path.read_bytes() for path in sorted(folder.glob("clear*.ts")))


def test_another_film_is_not_mixed_in(server: Server, tmp_path: Path) -> None:
    holed = download(server, "clear.m3u8", tmp_path, missing={"clear05.ts"})
    before = sha(holed)
    assert "does not list" in run("repair", holed, "--url", server.url("locked.m3u8"), code=2).err
    server.missing = {"clear.m3u8"}
    run("repair", holed, "--profile", "fast", code=4)
    assert sha(holed) == before


def test_a_repair_that_was_killed_goes_on(server: Server, folder: Path, tmp_path: Path) -> None:
    holed = download(server, "clear.m3u8", tmp_path, missing={"clear05.ts"})
    with holed.with_suffix(".ledger").open("ab") as book:
        book.write(ledger.render(CutLine(12)))
    holed.rename(holed.with_name(holed.name + ".part"))
    assert repair(holed)["filled"] == 1
    assert holed.read_bytes() == b"".join(path.read_bytes() for path in sorted(folder.glob("clear*.ts")))


def test_tracks_are_repaired_and_joined(server: Server, tmp_path: Path) -> None:
    main = download(server, "master.m3u8", tmp_path, "--name", "film", missing={"clear05.ts", "sound02.ts"})
    assert main.parent.name == "film.tracks"
    done = repair(main)
    assert (done["filled"], done["path"]) == (2, str(tmp_path / "film.mp4"))
    assert not main.parent.exists()
    run("verify", done["path"])


@pytest.mark.parametrize(("playlist", "ending"), [("clear.m3u8", "mkv"), ("clear.m3u8", "ts"), ("master.m3u8", "mkv")])
def test_what_was_to_be_made_is_made_and_may_be_named_before_it_is_there(
    server: Server, tmp_path: Path, playlist: str, ending: str
) -> None:
    film = tmp_path / f"film.{ending}"
    download(server, playlist, film, missing={"clear05.ts"})
    done = repair(film)
    assert (done["filled"], done["path"]) == (1, str(film))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([film.name, "film.ledger"])
    run("verify", film)


def test_a_product_is_made_anew_of_its_tracks(server: Server, tmp_path: Path) -> None:
    options = ("--name", "film", "--allow-gaps", "--keep-tracks")
    film = download(server, "master.m3u8", tmp_path, *options, missing={"clear05.ts"}, code=0)
    assert film == tmp_path / "film.mp4"
    before = json.loads(run("verify", film, code=3).out)
    done = repair(film)
    assert (done["filled"], done["path"]) == (1, str(film))
    after = json.loads(run("verify", film).out)
    assert (before["missing_s"], after["missing_s"]) == (pytest.approx(1.0), 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.ledger", "film.mp4", "film.tracks"]


def test_a_product_whose_tracks_are_gone_is_told_so(server: Server, tmp_path: Path) -> None:
    film = download(server, "master.m3u8", tmp_path, "--name", "film", "--allow-gaps", missing={"clear05.ts"}, code=0)
    assert "--keep-tracks" in run("repair", film, code=2).err
