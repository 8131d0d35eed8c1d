"""Taking what the user has entrusted to us out of texts that others see: libraries put what they were given into their errors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import partial
from typing import TypeVar, cast
from urllib.parse import quote, quote_plus, unquote, urlsplit

from ouzel.platforms.contract import Options

T = TypeVar("T")
_LEAST = 6
"""Characters from which on a value of a cookie is a secret, and not a word such as `zh-CN`."""
_HIDDEN = "***"


def secrets_of(options: Options) -> tuple[str, ...]:
    """The longest first, each also as it stands in an address, a form, or a header."""
    found = {options.cookies, options.password}
    found |= {value for pair in options.cookies.split(";") if len(value := pair.partition("=")[2].strip()) >= _LEAST}
    try:
        proxy = urlsplit(options.proxy)
        user, password = (unquote(text or "") for text in (proxy.username, proxy.password))
        found |= {password, b64encode(f"{user}:{password}".encode()).decode() if password else ""}
    except ValueError:
        found.add(options.proxy)
    found |= {form(value) for value in found for form in (quote, quote_plus, partial(quote, safe=""))}
    return tuple(sorted((value for value in found if value), key=len, reverse=True))


def hide(value: T, secrets: tuple[str, ...]) -> T:
    """The same without them, in all texts of a structure of JSON."""
    return cast("T", _hide(value, secrets)) if secrets else value


def _hide(value: object, secrets: tuple[str, ...]) -> object:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, _HIDDEN)
        return value
    if isinstance(value, Mapping):
        return {key: _hide(each, secrets) for key, each in cast("Mapping[str, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_hide(each, secrets) for each in cast("list[object]", value)]
    return value
