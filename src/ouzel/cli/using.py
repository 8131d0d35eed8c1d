"""`use` of a noun: which one of it counts at a channel, a platform, or everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from ouzel.base.errors import BadOption, NotFound
from ouzel.cli.client import Api
from ouzel.cli.groups import done
from ouzel.cli.main import EXIT_OK
from ouzel.cli.output import Output

NONE, _INHERIT = "none", "inherit"
"""Nothing, whatever holds above; what holds above."""
F = TypeVar("F", bound=Callable[..., Any])


def places(command: F) -> F:
    """The options that say where."""
    for option in (
        click.option("--all", "everywhere", is_flag=True, help="For all channels that have no other."),
        click.option(
            "--platform", "platforms", multiple=True, metavar="PLATFORM", help="For all channels of a platform."
        ),
        click.option(
            "--channel", "channels", multiple=True, metavar="CHANNEL", help="For this channel; may be repeated."
        ),
    ):
        command = option(command)
    return command


def use_at(
    output: Output,
    api: Api,
    setting: str,
    name: str,
    *,
    among: str,
    unknown: NotFound,
    said: str,
    channels: Sequence[str],
    platforms: Sequence[str],
    everywhere: bool,
) -> int:
    """Set it at every place that was named.

    Args:
        among: the list of the API that has what there is.
        unknown: raised when that has none of this name.
        said: key of the text that tells of each place.
    """
    if not (channels or platforms or everywhere):
        raise BadOption("name what it is used for: --channel, --platform or --all")
    value = {NONE: "", _INHERIT: None}.get(name, name)
    if value and all(each["name"] != value for each in api.get(among)["items"]):
        raise unknown
    for channel in channels:
        found = api.find("channels", channel, "name", "addresses")
        api.patch(f"channels/{found['id']}", {"settings": {setting: value}})
        done(output, None, said, name=name, of=found["name"])
    for scope in (*(f"platform:{each}" for each in platforms), *(("global",) if everywhere else ())):
        api.patch(f"settings/channels/{scope}", {setting: value})
        done(output, None, said, name=name, of=scope.removeprefix("platform:"))
    return EXIT_OK
