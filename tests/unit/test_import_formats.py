"""The other files that can be imported, and how each is told from the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from ouzel.config.importers.detect import MOST_BYTES, read_foreign
from ouzel.config.importers.result import Format, Imported

DATA = Path(__file__).parents[1] / "data" / "import"
FORMATS: dict[str, Format] = {
    "shipped.ini": "live_ini",
    "old.ini": "live_ini",
    "rooms.ini": "live_rooms",
    "twitch.json": "twitch_json",
    "cameras.yaml": "cameras_yaml",
    "downloader.yaml": "downloader_yaml",
    "tasks.json": "download_tasks",
    "relay.env": "relay_env",
    "channels.json": "relay_channels",
    "recordings.json": "streamcap",
}


def read(name: str) -> Imported:
    return read_foreign((DATA / name).read_bytes())


def values(imported: Imported) -> dict[str, object]:
    return {each.target: each.value for each in imported.settings if each.target and each.value is not None}


def remarks(imported: Imported) -> list[tuple[int, str]]:
    return sorted((each.line, each.code) for each in (*imported.notices, *imported.problems))


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_known_by_what_stands_in_it(name: str) -> None:
    assert {path.name for path in DATA.iterdir()} == set(FORMATS)
    assert read(name).format == FORMATS[name]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("name", FORMATS)
def test_in_any_encoding(name: str, encoding: str) -> None:
    text = (DATA / name).read_text("utf-8-sig")
    imported = read_foreign(text.encode(encoding))
    plain = read_foreign(text.encode())
    told = [each for each in imported.notices if each.code == "encoding"]
    assert (imported.channels, imported.settings, imported.problems) == (plain.channels, plain.settings, plain.problems)
    if encoding.startswith("utf-16") or (encoding == "gb18030" and not text.isascii()):
        assert [each.line for each in told] == [0]
    elif encoding.startswith("utf-8"):
        assert told == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b" \r\n\xef\xbb\xbf", "file_empty"),
        (b"hello\nworld", "file_unknown"),
        (b"[1, 2]", "file_unknown"),
        (b'{"a": 1}', "file_unknown"),
        (b'{"uids": ["a"', "syntax"),
        (b"cameras:\n  - {", "syntax"),
        (b"[" * 5000, "syntax"),
        (b'["\x01"]', "syntax"),
        (b"\xff\xff\xff\x80\xff", "text_broken"),
        (b"x" * (MOST_BYTES + 1), "file_too_large"),
    ],
)
def test_what_is_none(data: bytes, code: str) -> None:
    imported = read_foreign(data)
    assert [each.code for each in imported.problems] == [code]
    assert not imported.is_readable


def test_aliases_that_name_aliases_do_not_fill_the_memory() -> None:
    lines = ["cameras:", "  - &a0 {name: x}"]
    lines += [f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    imported = read_foreign("\n".join(lines).encode())
    assert [each.code for each in imported.problems] == ["syntax"]


def test_an_empty_list_of_rooms_is_one_by_its_name() -> None:
    assert read_foreign(b"\xef\xbb\xbf", "URL_config.ini").format == "live_rooms"
    assert read_foreign(b"# nobody", "URL_config.ini").format == "live_rooms"


def test_a_list_of_names_and_addresses_is_told_by_its_name() -> None:
    data = b'[{"name": "a", "url": "https://example.org/a"}]'
    assert read_foreign(data, "channels.json").format == "relay_channels"
    assert read_foreign(data, "batch.json").format == "download_tasks"


def test_twitch() -> None:
    imported = read("twitch.json")
    assert [(each.url, each.line) for each in imported.channels] == [
        ("https://www.twitch.tv/somebody", 2),
        ("https://www.twitch.tv/some_one", 2),
        ("https://www.twitch.tv/another", 3),
    ]
    assert values(imported) == {
        "storage.recordings": "data",
        "record.split_after_s": 3600,
        "daemon.shutdown_timeout_s": 10,
        "platforms.twitch.proxy": "http://127.0.0.1:7890",
    }
    assert remarks(imported) == [(3, "no_address"), (8, "key_unknown")]
    assert imported.quality == "best"


def test_twitch_without_what_may_be_absent() -> None:
    imported = read_foreign(b'{"uids": [],\r\n"proxy": null, "data_path": "",}')
    assert (imported.channels, values(imported), remarks(imported)) == ((), {}, [])


def test_cameras() -> None:
    imported = read("cameras.yaml")
    assert [(each.name, each.url, each.line, each.extra) for each in imported.channels] == [
        ("010", "rtsp://admin:secret-cam@192.0.2.7:554/stream1", 2, {"folder": "/media/front"}),
        ("010", "rtsp://192.0.2.8/stream1", 5, {}),
    ]
    assert values(imported) == {"policies.keep_s": 7 * 86400}
    assert imported.policies == {"7 days": {"keep_days": 7.0}}
    assert [each.layer for each in imported.channels] == [{"policy": "7 days"}] * 2
    assert remarks(imported) == [
        (7, "key_unknown"),
        (9, "bad_address"),
        (11, "not_needed"),
        *[(line, "not_needed") for line in (13, 14, 15, 17, 18)],
    ]
    assert "secret-cam" not in repr(imported)


@pytest.mark.parametrize(("days", "code"), [("0", "bad_value"), ("99999", "bad_value"), ("-3", "wrong_kind")])
def test_cameras_whose_days_are_none(days: str, code: str) -> None:
    text = f"cameras:\n  - {{name: a, rtsp_url: 'rtsp://192.0.2.8/a'}}\nrecording:\n  retention_days: {days}\n"
    imported = read_foreign(text.encode(), "config.yaml")
    assert (imported.policies, [each.layer for each in imported.channels]) == ({}, [{}])
    assert remarks(imported) == [(4, code)]


def test_downloader() -> None:
    imported = read("downloader.yaml")
    found = values(imported)
    assert found["download.connections"] == 8
    assert found["download.retry_delay_s"] == 1
    assert found["download.profiles.fast.retry_delay_s"] == 0.5
    assert found["download.profiles.low_bandwidth.connections"] == 2
    assert len(found) == 15
    assert remarks(imported) == [(2, "not_needed"), (9, "wrong_kind"), (18, "not_needed")]
    assert [(each.line, each.code) for each in imported.problems] == [(9, "wrong_kind")]


def test_tasks() -> None:
    imported = read("tasks.json")
    (download,) = imported.downloads
    assert (download.url, download.name, download.quality) == ("https://cdn.example.org/a.m3u8", "one", "720p")
    assert download.extra == {"folder": "films", "profile": "fast"}
    assert remarks(imported) == [(3, "no_address")]


def test_variables() -> None:
    imported = read("relay.env")
    assert values(imported) == {
        "relay.cache_s": 21600,
        "platforms.youtube.cookies_file": "/app/cookies.txt",
        "platforms.youtube.proxy": "http://u:secret-proxy@192.0.2.1:8080",
        "log.level": "WARNING",
        "log.format": "json",
    }
    secrets = [each.key for each in imported.settings if each.is_secret]
    assert secrets == ["REDIS_PASSWORD", "YTDLP_PROXY", "COLOUR"]
    assert [(each.line, each.code) for each in imported.problems] == [(13, "no_key"), (7, "wrong_kind")]
    assert (12, "key_unknown") in remarks(imported)
    assert read_foreign(b"DOWNLOADER_ENABLED=true").format == "downloader_env"


def test_variables_of_a_container() -> None:
    imported = read_foreign(b"PROXY=192.0.2.1:8080\nRCLONE_ENABLED=true\nRCLONE_CONFIG=/app/rclone.conf\n")
    assert imported.format == "live_env"
    assert values(imported) == {
        "platforms.proxy": "http://192.0.2.1:8080",
        "upload.rclone.on": True,
        "upload.rclone.config": "/app/rclone.conf",
    }


def test_relayed_channels_are_not_recorded_by_themselves() -> None:
    imported = read("channels.json")
    (channel,) = imported.channels
    assert (channel.name, channel.mode, channel.line) == ("新闻", "manual", 2)
    assert channel.extra == {"description": "all day", "logo": "https://example.org/n.png"}
    assert remarks(imported) == [(3, "no_address")]


def test_streamcap() -> None:
    one, two = read("recordings.json").channels
    assert (one.name, one.quality, one.paused, one.mode) == ("甲", "uhd", False, "record")
    assert one.extra == {
        "record.format": "ts",
        "record.split_after_s": 1800,
        "schedule": ("22:30-00:30", "08:00-09:30"),
        "folder": "/rec",
        "notify.on": False,
    }
    assert (two.quality, two.paused, two.mode) == ("ld", True, "notify")
    assert two.extra == {"record.split_after_s": 0}
