"""What all of them share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from starlette.convertors import StringConvertor, register_url_convertor

from ouzel.base.ids import PATTERN

T = TypeVar("T")


class In(BaseModel):
    """A request: a field that there is not is an error, not a wish that is ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Patch(In):
    """A JSON merge patch (RFC 7396): fields that are left out stay. Give each a default by `left_out`."""

    def changes(self) -> dict[str, Any]:
        """What is there, also when it is null."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def left_out(make: Callable[[], T], **limits: Any) -> Any:
    """The default of a field of a patch, which its description does not show: it never counts."""
    return Field(default_factory=make, **limits)


class IdConvertor(StringConvertor):
    """In a path beside words: `/api/channels/trash` is no channel."""

    regex = PATTERN


register_url_convertor("ouzel_id", IdConvertor())


def _is_written(value: object) -> object:
    if isinstance(value, str) and not value[:5].endswith("-"):
        raise ValueError("an instant is written 2026-11-22T20:15:00Z")  # not seconds since 1970
    return value


Instant: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_is_written)]
Id: TypeAlias = Annotated[str, Field(pattern=f"^{PATTERN}$", examples=["06fk8v2xq3m1a7zt"])]
Label: TypeAlias = Annotated[str, Field(min_length=1, max_length=64)]
