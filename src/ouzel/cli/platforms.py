"""`ouzel platforms`."""

from __future__ import annotations

from dataclasses import asdict

import click

from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.options import speaking
from ouzel.cli.output import Output, pad
from ouzel.cli.texts import language, tr
from ouzel.platforms.contract import Platform
from ouzel.platforms.registry import registry

_TITLE_COLUMNS = 22
_CHAIN_COLUMNS = 40
_STREAM_COLUMNS = 8


@click.command(cls=Command)
@speaking
def platforms(output: Output) -> int:
    """List the platforms whose pages can be resolved and recorded: name, example, who is asked, what is needed.

    \b
    Exit codes: 0.
    """
    known = [*registry()]
    for platform in known:
        output.json({"event": "platform", **asdict(platform)})
        output.say(_line(platform))
    output.say(tr("platforms.count", count=len(known)))
    return EXIT_OK


def _line(platform: Platform) -> str:
    title = platform.title_zh if language() == "zh" else platform.title
    needs = [] if platform.access == "open" else [tr(f"platforms.{platform.access}")]
    needs += [tr("platforms.account")] if platform.login else []
    needs += [tr("platforms.proxy")] if platform.proxy_advised else []
    needs += [tr("platforms.sound")] if platform.sound_only else []
    words = (
        pad(title, _TITLE_COLUMNS),
        pad("/".join(platform.streams), _STREAM_COLUMNS),
        pad(" > ".join(platform.chain), _CHAIN_COLUMNS),
        platform.example,
        f"({', '.join(needs)})" if needs else "",
    )
    return "  ".join(words).rstrip()
