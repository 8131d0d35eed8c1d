"""Who asks platforms, and by which way: the words of the command line before the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from ouzel.base.errors import BadConfig, BadOption
from ouzel.cli.access_options import AccessWords, password_for, read_cookie_file
from ouzel.cli.output import Output
from ouzel.cli.texts import tr
from ouzel.config.load import load_settings
from ouzel.config.settings import PlatformSettings, Settings
from ouzel.model.ledger import stamp
from ouzel.platforms.contract import Options
from ouzel.platforms.keeping import Store, default_folder
from ouzel.platforms.registry import registry, tidy
from ouzel.system.http.cookie_files import is_header, parse_cookies, read_cookies
from ouzel.system.http.cookies import CookieJar
from ouzel.system.http.given import read_proxy, sendable

_OTHERS = 0o077
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class PageAccess:
    """For one page."""

    options: Options
    jar: CookieJar
    """For its media, which are elsewhere."""
    settings: PlatformSettings
    """What is set for its platform."""


class Access:
    """For all pages of one call. What is worth a warning is told once."""

    def __init__(self, words: AccessWords) -> None:
        """Blocking. Raises: BadConfig, BadOption."""
        self._words = words
        self._proxy = read_proxy(words.proxy, "--proxy")
        self._settings = load_settings(words.config, [platform.name for platform in registry()])
        self._passwords: dict[str, str] = {}
        self._warnings: dict[tuple[str, str], None] = {}
        if (path := self._settings.path) and _has_secrets(self._settings):
            self._check_mode(path)
        if Store(folder := default_folder()).mend():
            self._warn("tokens_damaged", path=folder)

    def of(self, url: str) -> PageAccess:
        """The user's words for one page. May ask for a password. Blocking. Raises: BadUrl, BadOption, BadConfig."""
        page = tidy(url)
        match = registry().known(page)
        name = match.platform.name if match else ""
        own = self._settings.platforms.of(name) if match else PlatformSettings()
        place = match.platform.example if match else page  # a short link leads there
        jar = self._cookies(own, name, place)
        if match and not match.platform.login and (self._words.login or own.login):
            self._warn("login_unused", platform=match.platform.title)
        return PageAccess(
            Options(
                cookies=sendable(jar.header(place, datetime.now(UTC)) or ""),
                proxy=self._proxy if self._words.proxy else self._set_proxy(own, name),
                user_agent=self._user_agent(own, name),
                login=self._words.login or own.login,
                password=self._password(own, of_use=match is not None and bool(match.platform.login)),
                verify_tls=not self._words.insecure,
                codecs=own.codecs,
            ),
            jar,
            own,
        )

    def tell_warnings(self, output: Output) -> None:
        """And forget them."""
        for code, why in self._warnings:
            output.json({"event": "warning", "at": stamp(datetime.now(UTC)), "code": code, "why": why})
            output.tell(f"{tr('warning')}: {why} ({code})")
        self._warnings.clear()

    def _warn(self, code: str, **fields: object) -> None:
        self._warnings[code, tr(f"access.{code}", **fields)] = None

    def _cookies(self, own: PlatformSettings, name: str, place: str) -> CookieJar:
        host = urlsplit(place).hostname or ""
        if self._words.cookies is not None:
            jar, source = read_cookie_file(self._words.cookies, host=host), str(self._words.cookies)
        elif not own.cookies:
            return CookieJar()
        elif is_header(own.cookies):
            source = f"[platforms.{name}] cookies"
            jar = parse_cookies(own.cookies, host=host, source=source)
        else:
            path = self._settings.path_of(own.cookies)
            jar, source = read_cookies(path, host=host), str(path)
            self._check_mode(path)
        self._check_cookies(jar, source, place, host)
        return jar

    def _check_cookies(self, jar: CookieJar, source: str, place: str, host: str) -> None:
        now = datetime.now(UTC)
        if over := jar.expired(place, now):
            told = [f"{c.name} ({datetime.fromtimestamp(c.expires_s, UTC).astimezone():%Y-%m-%d})" for c in over]
            more = f" … (+{len(over) - _SHOWN})" if len(over) > _SHOWN else ""
            self._warn("cookies_expired", source=source, which=", ".join(told[:_SHOWN]) + more)
        elif jar.header(place, now) is None:
            self._warn("cookies_elsewhere", source=source, host=host)

    def _user_agent(self, own: PlatformSettings, name: str) -> str:
        text = (self._words.user_agent or own.user_agent).strip()
        if not text.isascii() or not text.isprintable():
            where = "--user-agent" if self._words.user_agent else f"{self._source}: the user_agent of {name}"
            kind = BadOption if self._words.user_agent else BadConfig
            raise kind(f"{where} has characters that cannot be sent to everybody: it is one line of ASCII")
        return text

    @property
    def _source(self) -> str:
        return str(self._settings.path or "the environment")

    def _set_proxy(self, own: PlatformSettings, name: str) -> str:
        try:
            return read_proxy(own.proxy, f"the proxy of {name}")
        except BadOption as exc:
            raise BadConfig(f"{self._source}: {exc}") from None

    def _password(self, own: PlatformSettings, *, of_use: bool) -> str:
        """`of_use`: somebody can sign in there; else nobody is asked for it."""
        login = self._words.login or own.login
        if login == own.login and own.password:
            return own.password
        if login and login == own.login and own.password_file:
            return self._read_password(self._settings.path_of(own.password_file))
        if not of_use:
            return ""
        if login not in self._passwords:
            self._passwords[login] = password_for(login)
        return self._passwords[login]

    def _read_password(self, path: Path) -> str:
        try:
            password = path.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as exc:
            why = (exc.strerror or str(exc)).lower() if isinstance(exc, OSError) else "it is not text in UTF-8"
            raise BadConfig(f"cannot read the password in {path}: {why}") from None
        if not password:
            raise BadConfig(f"{path} has no password in its first line")
        self._check_mode(path)
        return password

    def _check_mode(self, path: Path) -> None:
        if path.stat().st_mode & _OTHERS:
            self._warn("secrets_readable", path=path)


def _has_secrets(settings: Settings) -> bool:
    tables = settings.platforms.tables.values()
    proxies = (settings.platforms.defaults.proxy, *(table.proxy for table in tables))
    return any(table.password or is_header(table.cookies) for table in tables) or any("@" in text for text in proxies)
