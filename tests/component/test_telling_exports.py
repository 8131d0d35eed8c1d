"""Targets and routes leave as text and come back; what other recorders push becomes some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.component.newsroom import Box

from ouzel.base.errors import BadConfig
from ouzel.config.exports import Export, parse_export, render_export
from ouzel.model.routes import Route
from ouzel.model.targets import KINDS, check_settings
from ouzel.platforms.registry import registry
from ouzel.services.channel_forms import NewChannel
from ouzel.services.channels import Channels
from ouzel.services.exports import Exports
from ouzel.services.import_files import gather
from ouzel.services.import_plan import ImportPlan
from ouzel.services.imports import plan_import
from ouzel.services.routes import Routes
from ouzel.services.targets import Targets
from ouzel.store.db import Db, open_db
from ouzel.system.clock import SystemClock

pytestmark = pytest.mark.anyio
PAGE = "https://www.huya.com/77"


async def fill(db: Db) -> None:
    channels = Channels(db, Box())
    await channels.load()
    channel = await channels.add(NewChannel((PAGE,)), by="me")
    await Targets(db, Box()).add(
        "phone", {"kind": "ntfy", "settings": {"url": "https://ntfy.sh/SECRET", "tags": ["a"]}, "loud": "error",
                  "quiet": [{"from": "23:00", "to": "07:00"}]}, by="me",
    )  # fmt: skip
    await Routes(db).add(
        "live", {"targets": ["phone"], "events": ["broadcast.*"], "channels": [channel.id], "title": 'a "{channel}"'},
        by="me",
    )  # fmt: skip


async def put_back(folder: Path, text: str, *, with_channel: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    async with open_db(folder, SystemClock()) as db:
        channels = Channels(db, Box())
        await channels.load()
        if with_channel:
            await channels.add(NewChannel((PAGE,)), by="me")
        for _ in range(2):  # again, and nothing changes
            await Exports(db, Box()).put_back(parse_export(text), by="me")
        targets, routes = Targets(db, Box()), Routes(db)
        opened = {t.name: t.spec.doc() | {"settings": targets.opened(t.spec)} for t in await targets.all()}
        found = {each.name: each.spec for each in await routes.all()}
        by_id = {channel.id: channel.address for channel in channels.all()}
        return opened, {
            name: spec.doc() | {"channels": [by_id[id_] for id_ in spec.channels]} for name, spec in found.items()
        }


async def test_they_come_back_as_they_were(tmp_path: Path) -> None:
    async with open_db(tmp_path / "a.db", SystemClock()) as db:
        await fill(db)
        text = await Exports(db, Box()).text()
    targets, routes = await put_back(tmp_path / "b.db", text)
    assert targets["phone"]["settings"] == {"url": "https://ntfy.sh/SECRET", "tags": ["a"]}
    assert targets["phone"]["loud"] == "error"
    assert targets["phone"]["enabled"]
    assert routes["live"]["channels"] == [PAGE]
    assert routes["live"]["title"] == 'a "{channel}"'
    assert routes["live"]["enabled"]


async def test_without_secrets_a_target_is_switched_off(tmp_path: Path) -> None:
    async with open_db(tmp_path / "a.db", SystemClock()) as db:
        await fill(db)
        text = await Exports(db).text()
    assert "SECRET" not in text
    assert "# url is set, and left out" in text
    targets, routes = await put_back(tmp_path / "b.db", text, with_channel=False)
    assert (targets["phone"]["enabled"], targets["phone"]["settings"]) == (False, {"tags": ["a"]})
    assert (routes["live"]["enabled"], routes["live"]["channels"]) == (False, [])


@pytest.mark.parametrize(
    "export",
    [
        Export(targets={"x": {"kind": "pigeon"}}), Export(targets={"x": {"kind": "ntfy", "settings": {"url": "x"}}}),
        Export(routes={"x": {"targets": ["nobody"], "events": ["*"]}}), Export(routes={"x": {"colour": "red"}}),
    ],
)  # fmt: skip
async def test_nothing_is_written_of_what_is_wrong(export: Export, tmp_path: Path) -> None:
    async with open_db(tmp_path / "a.db", SystemClock()) as db:
        good = {"good": {"kind": "ntfy", "settings": {"url": "https://ntfy.sh/t"}}}
        both = Export(targets=good | dict(export.targets), routes=export.routes)
        with pytest.raises(BadConfig, match=r"(targets|routes)\.x"):
            await Exports(db, Box()).put_back(parse_export(render_export(both)), by="me")
        assert await Targets(db, Box()).all() == []


# -- from DouyinLiveRecorder ------------------------------------------------------------------------------------------

INI = """[推送配置]
直播状态推送渠道 = 微信,TG 邮箱|BARK
钉钉推送接口链接 = https://oapi.dingtalk.com/robot/send?access_token=d1
微信推送接口链接 = https://xizhi.qqoq.net/k1.send，https://xizhi.qqoq.net/k2.send
bark推送接口链接 = https://api.day.app/bk
bark推送中断级别 = active
bark推送铃声 = bell
钉钉通知@对象(填手机号) = 138,139
钉钉通知@全体(是/否) = 是
tgapi令牌 = 1:abc
tg聊天id(个人或者群组id) = -100
smtp邮件服务器 = smtp.example.org
是否使用SMTP服务SSL加密(是/否) = 否
SMTP邮件服务器端口 =
邮箱登录账号 = me@example.org
发件人密码(授权码) = pass
发件人邮箱 = me@example.org
发件人显示昵称 = 我
收件人邮箱 = a@example.org,b@example.org
ntfy推送地址 = https://ntfy.example/t
ntfy推送标签 = tada
ntfy推送邮箱 = x@example.org
pushplus推送token = pt
自定义推送标题 = 通知 {1}
自定义开播推送内容 = [直播间名称] 开播 \\n[时间]
自定义关播推送内容 =
只推送通知不录制(是/否) = 否
直播推送检测频率(秒) = 1800
开播推送开启(是/否) = 是
关播推送开启(是/否) = 否
"""


def plan(tmp_path: Path, text: str, name: str = "config.ini") -> ImportPlan:
    (tmp_path / name).write_text(text, "utf-8-sig")
    return plan_import(gather([tmp_path / name]), registry())


def test_every_key_of_its_pushes_is_taken(tmp_path: Path) -> None:
    made = plan(tmp_path, INI)
    targets = {name: (doc["kind"], doc["enabled"], doc["settings"]) for name, doc in made.telling.targets.items()}
    assert targets == {
        "wechat": ("xizhi", True, {"url": "https://xizhi.qqoq.net/k1.send"}),
        "wechat 2": ("xizhi", True, {"url": "https://xizhi.qqoq.net/k2.send"}),
        "dingtalk": ("dingtalk", False, {
            "url": "https://oapi.dingtalk.com/robot/send?access_token=d1", "phones": ["138", "139"], "at_all": True,
        }),
        "telegram": ("telegram", True, {"token": "1:abc", "chat": "-100"}),
        "email": ("email", True, {
            "server": "smtp.example.org", "security": "none", "login": "me@example.org", "password": "pass",
            "from": "me@example.org", "from_name": "我", "to": ["a@example.org", "b@example.org"],
        }),
        "bark": ("bark", True, {"url": "https://api.day.app/bk", "level": "active", "sound": "bell"}),
        "ntfy": ("ntfy", False, {"url": "https://ntfy.example/t", "tags": ["tada"], "email": "x@example.org"}),
        "pushplus": ("pushplus", False, {"token": "pt"}),
    }  # fmt: skip
    for kind, _, settings in targets.values():
        assert check_settings(kind, settings) == settings
        assert kind in KINDS
    live, ended = (Route.parse(made.telling.routes[name]) for name in ("live", "ended"))
    assert (live.enabled, live.events, live.targets) == (True, ("broadcast.began",), (*targets,))
    assert (live.title, live.text) == ("通知 {{1}}", "{channel} 开播 \n{time}")
    assert (ended.enabled, ended.events, ended.text) == (False, ("broadcast.ended",), "")
    assert not [each for each in made.notices if each.of.code == "kept_for_later"]
    assert made.problems == ()


def test_what_cannot_be_a_target_is_a_problem_of_its_line(tmp_path: Path) -> None:
    made = plan(tmp_path, "[推送配置]\n微信推送接口链接 = nonsense\ntgapi令牌 = 1:abc\n")
    assert made.telling.targets == {}
    assert [(each.of.line, each.of.code) for each in made.problems] == [(2, "bad_value"), (3, "bad_value")]
    assert "nonsense" not in str(made.fields()["problems"])


async def test_it_is_put_back_like_an_export(tmp_path: Path) -> None:
    text = render_export(plan(tmp_path, INI).telling)
    targets, routes = await put_back(tmp_path / "b.db", text)
    assert len(targets) == 8
    assert routes["live"]["text"] == "{channel} 开播 \n{time}"


def test_the_camera_recorder_tells_by_telegram(tmp_path: Path) -> None:
    text = "cameras:\n- name: yard\n  rtsp_url: rtsp://10.0.0.2/s\ntelegram:\n  enabled: true\n  token: '1:abc'\n  chat_id: 7\n"
    made = plan(tmp_path, text, "config.yaml")
    assert made.telling.targets["cameras"]["settings"] == {"token": "1:abc", "chat": "7"}
    assert Route.parse(made.telling.routes["cameras"]).over
