"""Both languages say the same things, and whatever the program wants to say is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from types import ModuleType

import pytest

from ouzel import cli
from ouzel.base.errors import NetworkError, OuzelError, SiteError
from ouzel.cli import texts
from ouzel.cli.output import Output
from ouzel.cli.texts import refusals, sentences
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.model.states import RecordingState

SOURCES = Path(cli.__file__).parent
ERRORS = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"


def fields(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


@pytest.mark.parametrize("table", texts.TABLES, ids=lambda table: table.__name__)
def test_both_languages_have_the_same_keys_and_fields(table: ModuleType) -> None:
    assert list(table.EN) == list(table.ZH)
    for key in table.EN:
        assert fields(table.EN[key]) == fields(table.ZH[key]), key
        assert table.EN[key].strip(), key
        assert "—" not in table.EN[key]


def test_chinese_is_chinese() -> None:
    same = {"help.", "event.", "report.", "reason.", "state."}
    for table in texts.TABLES:
        for key, text in table.ZH.items():
            if key.startswith(tuple(same)) and re.sub(r"\{\w+\}|\W", "", table.EN[key]):
                assert re.search(r"[\u4e00-\u9fff]", text), key


def test_no_key_is_in_two_tables() -> None:
    keys = [key for table in texts.TABLES for key in table.EN]
    assert len(keys) == len(set(keys))


def test_every_text_that_is_asked_for_exists() -> None:
    known = {key for table in texts.TABLES for key in table.EN}
    asked = {key for path in SOURCES.glob("*.py") for key in re.findall(r"\btr\(\s*\"([^\"]+)\"", path.read_text())}
    assert len(asked) > 20
    assert asked <= known


def test_every_state_reason_and_event_has_a_text() -> None:
    known = {key for table in texts.TABLES for key in table.EN}
    silent = {EventCode.REPAIR, EventCode.PROGRESS, EventCode.ENDED}
    assert {f"state.{state.value}" for state in RecordingState} <= known
    assert {f"reason.{reason.value}" for reason in EndReason} <= known
    assert {f"event.{code.value}" for code in EventCode if code not in silent} <= known


def kinds(base: type[OuzelError]) -> Iterator[type[OuzelError]]:
    yield base
    for below in base.__subclasses__():
        yield from kinds(below)


def test_every_error_is_told_in_both_languages() -> None:
    codes = re.findall(r"^\| `(\w+)` \|", ERRORS.read_text(), re.MULTILINE)  # a golden test compares that with the code
    told = {key.removeprefix("error.") for key in texts.errors.EN if key.startswith("error.")}
    assert told == {*codes, "bad_arguments", "method_not_allowed", "malformed"}
    for key, text in texts.errors.ZH.items():
        assert key.startswith("with_") or re.search(r"[\u4e00-\u9fff]", text), key


def test_what_pages_can_fail_with_comes_with_advice() -> None:
    by_itself = {"network", "connection_lost", "stalled", "bad_response", "http_status"}
    """Asked again, they may work; there is nothing else to do."""
    codes = {kind.code for base in (SiteError, NetworkError) for kind in kinds(base)} - by_itself
    assert {f"advice.{code}" for code in codes} <= set(texts.errors.EN)


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "ouzel: error: the site answers 403; wait a while, or ask with cookies"),
        ("zh", "ouzel: 错误: 网站要求验证、限制请求，或被其风控拒绝：the site answers 403；请稍后再试"),
    ],
)
def test_an_error_says_what_happened_and_what_to_do(
    language: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OUZEL_LANG", language)
    Output().error("blocked", "the site answers 403")
    told = capsys.readouterr().err
    assert told.startswith(line)
    assert told.endswith(" (blocked)\n")


@pytest.fixture
def fresh() -> Iterator[None]:
    texts.language.cache_clear()
    yield
    texts.language.cache_clear()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"OUZEL_LANG": "zh"}, "zh"),
        ({"OUZEL_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "zh_TW.UTF-8"}, "zh"),
        ({"LC_ALL": "de_DE.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_users(environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OUZEL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert texts.language() == language


def test_sentences_in_chinese_have_the_same_fields_and_are_said_somewhere() -> None:
    said = "".join(
        path.read_text() for path in SOURCES.parent.rglob("*.py") if path.name not in {"sentences.py", "refusals.py"}
    )
    for english, chinese in (sentences.ZH | refusals.ZH).items():
        assert fields(english) == fields(chinese), english
        pieces = re.split(r"\{\w+\}|[:;,(] | among | by ", english)  # some are put together
        assert all(piece.strip(" ()[]") in said for piece in pieces[:-1] if len(piece) > len("[]: ")), english


@pytest.mark.parametrize(
    ("message", "chinese"),
    [
        (
            "a.toml, line 2: [server] has no key prot; did you mean port?",
            "a.toml 第 2 行：[server] 中没有 prot 这一项；是否指 port？",
        ),
        (
            "a.toml, line 1: [server] has no key x; a.toml, line 3: [watch] has no key y",
            "a.toml 第 1 行：[server] 中没有 x 这一项；a.toml 第 3 行：[watch] 中没有 y 这一项",
        ),
        ("port 80 of ::1 is taken by nginx (process 7)", "::1 的端口 80 已被 nginx 占用（进程 7）"),
        ("/d/x cannot be written: Permission denied", "/d/x 不可写：没有权限"),
        ("cannot connect to h:1: a word that nobody knows", "无法连接 h:1：a word that nobody knows"),
        ("a.toml, line 2: words that nobody knows", None),
        (
            "convert: av1 video cannot be carried in MPEG-TS: mp4 and mkv hold it",
            "convert：MPEG-TS 无法容纳 av1 视频：mp4 和 mkv 可以",
        ),
        (
            "/m/b.ts cannot be joined to a.ts: h264 192x108 instead of h264 160x90; the step convert makes them alike",
            "/m/b.ts 无法与 a.ts 合并：是 h264 192x108，而不是 h264 160x90；步骤 convert 可使其一致",
        ),
        ("convert: /nowhere/mark.png does not exist", "convert：/nowhere/mark.png 不存在"),
        ("there is a rule 7 days already", "已有规则 7 days"),
        ("the target phone was changed since", "目标 phone 此后又被修改过"),
        ("remux has no field fromat; did you mean format?", "remux 没有字段 fromat；是否指 format？"),
        (
            "upload: the name template has no field {foo}; it knows {name}",
            "upload：名称模板没有字段 {foo}；可用的有 {name}",
        ),
        ("/keep_days: Input should be greater than 0", "keep_days 应大于 0"),
        ("what nobody has heard: of", None),
    ],
)
def test_a_sentence_is_told_in_chinese(message: str, chinese: str | None) -> None:
    assert sentences.in_chinese(message) == chinese


def test_what_is_not_known_in_chinese_keeps_what_its_code_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "language", lambda: "zh")
    assert texts.reason("conflict", "https://a.test/1 is there already") == "https://a.test/1 已经添加过"
    assert texts.reason("bad_option", "what nobody has heard: of") == "选项的值无效：what nobody has heard: of"
