"""Lists, a page at a time. A cursor says after which row the next page begins; it is good for the same list alone."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Generic, Literal, TypeAlias, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field

from ouzel.api.services import Served
from ouzel.base.errors import Invalid

_MAC_BYTES = 10
_OTHER_VERSION = "this cursor is of another version: begin without one"
_NOT_FILTERS = ("cursor", "limit", "count")
Row = TypeVar("Row")
Out = TypeVar("Out")


class Page(BaseModel, Generic[Out]):
    items: list[Out]
    next_cursor: str | None = Field(description="for `cursor`; null: this is the last page")
    total: int | None = Field(None, description="of all pages, if `count=exact` asked for it")


class PageAsk:
    """What a request wants of a list.

        found = await services.users.page(after=ask.after(str), limit=ask.more)
        return ask.page(found, UserOut.of, key=lambda user: (user.id,), total=await …count() if ask.exact else None)

    Args:
        key: to prove that a cursor was made here.
        filters: all that says which list it is.
    """

    def __init__(self, limit: int, cursor: str | None, *, exact: bool, key: bytes, filters: str) -> None:
        self.limit = limit
        self.more = limit + 1
        """To be asked of the store: one more tells whether there is a next page."""
        self.exact = exact
        self._cursor = cursor
        self._key = key
        self._filters = filters.encode()

    def after(self, kind: type[Row]) -> Row | None:
        """The only value of the cursor. None: begin at the beginning. Raises: Invalid."""
        values = self.after_all(kind)
        return None if values is None else values[0]

    def after_instant(self) -> tuple[datetime, str] | None:
        """Of lists by time: an instant and an id. Raises: Invalid."""
        values = self.after_all(str, str)
        try:
            return None if values is None else (datetime.fromisoformat(values[0]), values[1])
        except ValueError:
            raise Invalid(_OTHER_VERSION) from None

    def after_all(self, *kinds: type[Row]) -> tuple[Row, ...] | None:
        """All its values; each of its kind: str, int, float. Raises: Invalid."""
        if self._cursor is None:
            return None
        try:
            data = urlsafe_b64decode(self._cursor.encode("ascii"))
        except (UnicodeEncodeError, Base64Error, ValueError):
            data = b""
        mac, text = data[:_MAC_BYTES], data[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(text)):
            raise Invalid("this cursor is of another list, or none: begin without one")
        values = json.loads(text)
        if len(values) != len(kinds) or any(type(each) is not kind for each, kind in zip(values, kinds, strict=True)):
            raise Invalid(_OTHER_VERSION)
        return tuple(values)

    def page(
        self,
        rows: Sequence[Row],
        show: Callable[[Row], Out],
        *,
        key: Callable[[Row], Sequence[str | int | float]],
        total: int | None = None,
    ) -> Page[Out]:
        """
        Args:
            rows: at most `more` of them, in the order of the list.
            key: what the list is ordered by, ending in something that no two rows share.
        """
        shown = rows[: self.limit]
        cursor = self._encode(key(shown[-1])) if len(rows) > self.limit else None
        return Page[Out](items=[show(row) for row in shown], next_cursor=cursor, total=total)

    def _encode(self, values: Sequence[str | int | float]) -> str:
        text = json.dumps(list(values), separators=(",", ":")).encode()
        return urlsafe_b64encode(self._mac(text) + text).decode()

    def _mac(self, text: bytes) -> bytes:
        return hmac.digest(self._key, self._filters + b"\n" + text, "sha256")[:_MAC_BYTES]


def _ask(
    request: Request,
    services: Served,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")] = None,
    count: Annotated[Literal["exact"] | None, Query(description="whether `total` is wanted, too")] = None,
) -> PageAsk:
    filters = sorted((name, value) for name, value in request.query_params.multi_items() if name not in _NOT_FILTERS)
    return PageAsk(
        limit, cursor, exact=count == "exact", key=services.secrets.key("cursor"),
        filters=json.dumps([request.url.path, filters]),
    )  # fmt: skip


Paging: TypeAlias = Annotated[PageAsk, Depends(_ask)]
"""As a parameter of a route that gives a list."""
Word: TypeAlias = Annotated[
    str, Query(max_length=200, description="only those whose id begins with it, or that have it in their name")
]
"""For who knows one of them by a word."""
