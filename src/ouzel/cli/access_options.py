"""What the command line says of who asks, and by which way."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ouzel.base.errors import BadOption
from ouzel.cli.texts import tr
from ouzel.system.http.cookie_files import is_header, read_cookies
from ouzel.system.http.cookies import CookieJar


@dataclass(frozen=True, slots=True)
class AccessWords:
    """The words, unread but for their form."""

    cookies: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    """As `read_proxy` takes it."""
    user_agent: str | None = None
    login: str | None = None
    insecure: bool = False
    config: Path | None = None


def with_access(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say who asks, and by which way. They arrive as `access`."""

    @wraps(command)
    def with_words(*args: Any, **given: Any) -> Any:
        words = {each.name: given.pop(each.name) for each in fields(AccessWords)}
        return command(*args, access=AccessWords(**words), **given)

    for option in (
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Settings, instead of the usual ouzel.toml.",
        ),
        click.option("--insecure", is_flag=True, help="Do not verify certificates."),
        click.option(
            "--login", metavar="NAME", help="Sign in to the platform; the password is asked for, or OUZEL_PASSWORD."
        ),
        click.option("--user-agent", metavar="TEXT", help="Send this User-Agent."),
        click.option("--proxy", metavar="URL", help="http://, socks5:// or socks5h:// proxy; or direct."),
        click.option(
            "--cookies",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Cookies: cookies.txt, JSON of a browser's extension, or one line 'a=b; c=d'.",
        ),
    ):
        with_words = option(with_words)
    return with_words


def read_cookie_file(path: Path, *, host: str) -> CookieJar:
    """What `--cookies` names. Raises: BadOption."""
    if is_header(str(path)) and not path.exists():
        raise BadOption(
            "--cookies takes a file, since all users of a machine can see what stands in arguments: write the cookies into one"
        )
    return read_cookies(path, host=host)


def password_for(login: str | None) -> str:
    """From the environment, or the terminal; empty without a login. Raises: BadOption when nobody can be asked."""
    if not login:
        return ""
    if given := os.environ.get("OUZEL_PASSWORD"):
        return given
    if not sys.stdin.isatty():
        raise BadOption("a login needs a password: put it into OUZEL_PASSWORD or the settings, or use a terminal")
    return click.prompt(tr("password", login=login), hide_input=True, err=True)
