"""`config.ini` of the INI recorder: every key is taken, or a notice says why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ouzel.config.importers.ini import Entry, parse_ini
from ouzel.config.importers.keys import Key
from ouzel.config.importers.live_keys import KEYS, present_name
from ouzel.config.importers.live_platforms import with_word
from ouzel.config.importers.live_rooms import USUAL_QUALITY
from ouzel.config.importers.qualities import quality_of
from ouzel.config.importers.result import Imported, ImportedSetting, Notice, NoticeCode, Value

SHARED_COOKIE = "ttwid=1%7CB1qls3"
"""How the one begins that came with the recorder: its author's, and over."""
_SHOWN = 40
_PLACEHOLDER = "ntfy.sh/xxxx"
_DOUBLED = frozenset({"sooplive_cookie", "flextv_cookie", "twitcasting_cookie", "popkontv_token"})
"""Written back with each `%` twice."""
_FORMATS = frozenset({"ts", "mkv", "flv", "mp4", "mp3", "m4a"})
_PUSHED_TO = {"微信": "wechat", "钉钉": "dingtalk", "邮箱": "email", "tg": "telegram", "bark": "bark", "ntfy": "ntfy",
              "pushplus": "pushplus"}  # fmt: skip
_SWITCH, _ADDRESS = "是否使用代理ip(是/否)", "代理地址"
_PROXIED, _PROXIED_TOO = "使用代理录制的平台(逗号分隔)", "额外使用代理录制的平台(逗号分隔)"
_USUALLY_PROXIED = (
    "tiktok, soop, pandalive, winktv, flextv, popkontv, twitch, liveme, showroom, chzzk, shopee, shp, youtu, faceit"
)
_BY_AUTHOR, _BY_DAY, _BY_TITLE = (f"保存文件夹是否以{each}区分" for each in ("作者", "时间", "标题"))
_TITLED = "保存文件名是否包含标题"
_SPLIT, _SPLIT_TIME, _SPLIT_SIZE = "分段录制是否开启", "视频分段时间(秒)", "视频分段大小(兆)"
_QUALITY, _MODE = "原画|超清|高清|标清|流畅", "只推送通知不录制(是/否)"
_COMMAS = re.compile(r"[,，]")


def parse_live_ini(text: str) -> Imported:
    """All keys with what they become. Raises nothing: what cannot be read is a problem."""
    entries, problems, comments = parse_ini(text, lambda name: present_name(name) is not None)
    reader = _Reader()
    for entry in entries:
        reader.add(entry)
    settings = tuple(reader.settings())
    quality = next((str(each.value) for each in settings if each.target == "record.quality" and each.value), "")
    return Imported(
        "live_ini",
        settings=settings,
        notices=tuple(sorted(reader.notices, key=lambda each: each.line)),
        problems=tuple(problems),
        quality=quality or USUAL_QUALITY,
        comments=tuple(comments),
    )


@dataclass(slots=True)
class _Reader:
    entries: dict[str, Entry] = field(default_factory=dict[str, "Entry"])
    """By present names; the last of each."""
    unknown: list[Entry] = field(default_factory=list["Entry"])
    notices: list[Notice] = field(default_factory=list["Notice"])

    def add(self, entry: Entry) -> None:
        name = present_name(entry.name)
        if name is None:
            self.unknown.append(entry)
            self._note(entry, "key_unknown")
            return
        if before := self.entries.get(name):
            self._note(before, "key_repeated", line=str(entry.line))
        self.entries[name] = entry

    def settings(self) -> Iterator[ImportedSetting]:
        for name, entry in self.entries.items():
            key = KEYS[name]
            yield from (
                self._proxies(name, entry) if name in (_PROXIED, _PROXIED_TOO) else self._usual(name, entry, key)
            )
        if _PROXIED not in self.entries and (address := self.entries.get(_ADDRESS)):
            yield from self._to_platforms(
                address, _USUALLY_PROXIED, self._proxy() if self._is_on(_SWITCH, True) else ""
            )
        for entry in self.unknown:
            yield ImportedSetting(entry.key, entry.value, entry.line, None, is_secret=True)

    def _usual(self, name: str, entry: Entry, key: Key) -> Iterator[ImportedSetting]:
        value = self._value(name, entry, key)
        if key.notice and (key.target is None or value not in (None, False, ())):
            self._note(entry, key.notice, **({"target": key.target} if key.target else {"about": key.about}))
        if name == _ADDRESS and isinstance(value, str):
            yield ImportedSetting(entry.key, value, entry.line, None, is_secret="@" in value)
        else:
            yield ImportedSetting(entry.key, value, entry.line, key.target, key.is_secret)

    # ------------------------------------------------------------------------------------------------ values

    def _value(self, name: str, entry: Entry, key: Key) -> Value:
        if joined := _JOINED.get(name):
            self._switch(entry, key) if key.kind in ("yes", "no") else self._plain(name, entry, key)
            return joined(self)
        return self._plain(name, entry, key)

    def _plain(self, name: str, entry: Entry, key: Key) -> Value:
        text = entry.value.strip()
        if name in _DOUBLED:
            text = text.replace("%%", "%")
        if text.endswith(_PLACEHOLDER):
            self._note(entry, "value_changed", taken="")
            return None
        if name == "抖音cookie" and text.startswith(SHARED_COOKIE):
            self._note(entry, "cookie_shared")
            return None
        match key.kind:
            case "yes" | "no":
                return self._switch(entry, key)
            case _ if not text:
                return None
            case "list":
                return tuple(word for each in _COMMAS.split(text) if (word := each.strip()))
            case "words":
                return tuple(ours for word, ours in _PUSHED_TO.items() if word in text.lower())
            case "quality":
                return self._changed(entry, quality_of(text), USUAL_QUALITY)
            case "format":
                return self._format(entry, text.lower())
            case "seconds" | "number" | "gib" | "mib":
                return self._number(entry, text, key)
            case _:
                return text

    def _switch(self, entry: Entry, key: Key) -> bool:
        text, usual = entry.value.strip(), key.kind == "yes"
        if text in ("是", "否"):
            return text == "是"
        if text:
            self._note(entry, "value_changed", taken="是" if usual else "否")
        return usual

    def _format(self, entry: Entry, text: str) -> str | None:
        if text in ("ts音频", "mkv音频"):  # sound in containers that players take for video
            return self._changed(entry, None, "m4a")
        word = text.removesuffix("音频")
        return self._changed(entry, word if word in _FORMATS else None, "ts")

    def _number(self, entry: Entry, text: str, key: Key) -> int | float | None:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e12:  # nor what is no number
            self._note(entry, "value_changed", taken="")
            return None
        match key.kind:
            case "gib":
                return round(value * 1024**3)
            case "mib":
                return round(value * 1024**2)
            case _:
                return int(value) if value == int(value) else value

    def _changed(self, entry: Entry, value: str | None, usual: str) -> str:
        if value is None:
            self._note(entry, "value_changed", taken=usual)
        return value or usual

    def _note(self, entry: Entry, code: NoticeCode, **fields: str) -> None:
        self.notices.append(Notice(entry.line, code, {"key": entry.key[:_SHOWN], **fields}))

    # ------------------------------------------------------------------------------- keys that count together

    def _is_on(self, name: str, usual: bool) -> bool:
        entry = self.entries.get(name)
        text = entry.value.strip() if entry else ""
        return usual if entry is None else text == "是" or (text != "否" and KEYS[name].kind == "yes")

    def template(self) -> str:
        """Folders and names as they are on this disk, so that what is new stands beside what is there."""
        by_day, titled = self._is_on(_BY_DAY, False), self._is_on(_TITLED, False)
        levels = ["{platform}"]
        if self._is_on(_BY_AUTHOR, True):
            levels.append("{folder}")
        if by_day:
            levels.append("{start:%Y-%m-%d}")
        if self._is_on(_BY_TITLE, False):
            levels.append("{title}_{channel}" if by_day else "{start:%Y-%m-%d}_{title}")
        return "/".join([*levels, f"{{channel}}_{'{title}_' if titled else ''}{{start:%Y-%m-%d_%H-%M-%S}}"])

    def split_after_s(self) -> Value:
        """0: never. None where it is split, and no time is told."""
        return self._part(_SPLIT_TIME) if self._is_on(_SPLIT, False) else 0

    def split_bytes(self) -> Value:
        return self._part(_SPLIT_SIZE) if self._is_on(_SPLIT, False) and _SPLIT_TIME not in self.entries else 0

    def mode(self) -> str:
        return "notify" if self._is_on(_MODE, False) else "record"

    def _part(self, name: str) -> Value:
        entry = self.entries.get(name)
        if entry is None or not re.fullmatch(r"\d{1,9}", entry.value.strip()):
            return None
        return int(entry.value) * (1024**2 if KEYS[name].kind == "mib" else 1)

    def _proxy(self) -> str:
        entry = self.entries.get(_ADDRESS)
        address = entry.value.strip() if entry else ""
        return address if not address or "://" in address else f"http://{address}"

    def _proxies(self, name: str, entry: Entry) -> Iterator[ImportedSetting]:
        wanted = name == _PROXIED_TOO or self._is_on(_SWITCH, True)
        proxy = self._proxy() if wanted else ""
        if wanted and not proxy and entry.value.strip():
            self._note(entry, "proxy_missing")
        elif not proxy and entry.value.strip():
            self._note(entry, "taken_together", about=_SWITCH)
        taken = [*self._to_platforms(entry, entry.value, proxy)]
        yield from taken or [ImportedSetting(entry.key, entry.value.strip() or None, entry.line, None)]

    def _to_platforms(self, entry: Entry, words: str, proxy: str) -> Iterator[ImportedSetting]:
        if not proxy:
            return
        names: dict[str, None] = {}
        for word in filter(None, (each.strip() for each in _COMMAS.split(words))):
            found = with_word(word)
            names |= dict.fromkeys(found)
            if not found:
                self._note(entry, "proxy_word_unknown", word=word)
        for name in names:
            yield ImportedSetting(entry.key, proxy, entry.line, f"platforms.{name}.proxy", is_secret="@" in proxy)


_JOINED: Mapping[str, Callable[[_Reader], Value]] = {
    **dict.fromkeys((_BY_AUTHOR, _BY_DAY, _BY_TITLE, _TITLED), _Reader.template),
    **dict.fromkeys((_SPLIT, _SPLIT_TIME), _Reader.split_after_s),
    _SPLIT_SIZE: _Reader.split_bytes,
    _MODE: _Reader.mode,
}
