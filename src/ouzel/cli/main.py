"""`ouzel`: finds the command, and turns errors into one line and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from keyword import iskeyword
from typing import Any

import click

from ouzel import __version__
from ouzel.base.errors import InputError, NoDaemon, OuzelError, StorageError
from ouzel.cli.output import Output, give_up
from ouzel.cli.texts import help as help_texts
from ouzel.cli.texts import language, tr

COMMANDS = {
    "record": "ouzel.cli.record",
    "download": "ouzel.cli.download",
    "serve": "ouzel.cli.serve",
    "status": "ouzel.cli.status",
    "verify": "ouzel.cli.verify",
    "recover": "ouzel.cli.recover",
    "repair": "ouzel.cli.repair",
    "clip": "ouzel.cli.clip",
    "remux": "ouzel.cli.remux",
    "info": "ouzel.cli.info",
    "resolve": "ouzel.cli.resolve",
    "platforms": "ouzel.cli.platforms",
    "resolvers": "ouzel.cli.resolvers",
    "config": "ouzel.cli.config",
    "export": "ouzel.cli.export",
    "check": "ouzel.cli.check",
    "import": "ouzel.cli.import_",
    "channels": "ouzel.cli.channels",
    "recordings": "ouzel.cli.recordings",
    "downloads": "ouzel.cli.downloads",
    "jobs": "ouzel.cli.jobs",
    "users": "ouzel.cli.users",
    "pipelines": "ouzel.cli.pipelines",
    "remotes": "ouzel.cli.remotes",
    "retention": "ouzel.cli.retention",
    "trash": "ouzel.cli.trash",
    "storage": "ouzel.cli.storage",
    "notices": "ouzel.cli.notices",
    "targets": "ouzel.cli.targets",
    "routes": "ouzel.cli.routes",
    "messages": "ouzel.cli.routes",
    "events": "ouzel.cli.events",
    "mcp": "ouzel.cli.mcp",
}

EXIT_OK = 0
EXIT_BUG = 1
EXIT_BAD_ARGUMENTS = 2
EXIT_GAPS = 3
EXIT_NOTHING = 4
EXIT_DISK = 5
EXIT_DAMAGED = 6
EXIT_NO_DAEMON = 7
EXIT_OFFLINE = 20
EXIT_BLOCKED = 21
EXIT_NEEDS_LOGIN = 22
EXIT_REGION_LOCKED = 23
EXIT_BROKEN = 24
EXIT_GONE = 25
EXIT_INTERRUPTED = 130

_STDERR = 2


class Command(click.Command):
    """Its help, and its version, are output like any other."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Raises: DiskFull."""
        try:
            return super().parse_args(ctx, args)
        except OSError as exc:
            give_up(sys.stdout, exc)
            raise click.exceptions.Exit(EXIT_OK) from None

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=tr("help.usage"))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if language() == "en":
            super().format_help_text(ctx, formatter)
            return
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(help_texts.COMMANDS[_name(ctx)])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = [_record(ctx, each) for each in self.get_params(ctx) if isinstance(each, click.Option)]
        with formatter.section(tr("help.options")):
            formatter.write_dl(records)


def _name(ctx: click.Context) -> str:
    """With the group that it is in: `channels add`."""
    return ctx.command_path.partition(" ")[2] or "ouzel"


def _record(ctx: click.Context, option: click.Option) -> tuple[str, str]:
    """How an option is written, and what it does."""
    written, text = option.get_help_record(ctx) or ("", "")
    if language() == "zh":
        name = "help" if "--help" in option.opts else option.name or ""  # click has a name of its own for it
        text = text.replace(option.help or "", help_texts.of_option(_name(ctx), name), 1)
        text = text.replace("[default: ", "[默认：").replace("[required]", "[必填]")
    return written, text


class LazyGroup(Command, click.Group):
    """Imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        return getattr(module, f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section(tr("help.commands")):
            formatter.write_dl([(name, tr(f"help.{name}")) for name in COMMANDS])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ouzel")
def cli() -> None:
    """Ouzel keeps what streams by: it records live video and proves what it kept."""


def exit_code(exc: OuzelError) -> int:
    """What the shell is told when a command ends in this error."""
    if isinstance(exc, InputError):
        return EXIT_BAD_ARGUMENTS
    if isinstance(exc, NoDaemon):
        return EXIT_NO_DAEMON
    return EXIT_DISK if isinstance(exc, StorageError) else EXIT_NOTHING


def run(args: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    try:
        result: Any = cli.main(args=args, prog_name="ouzel", standalone_mode=False)
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.exceptions.NoArgsIsHelpError as exc:
        Output.plain(False).tell(exc.format_message())
        return EXIT_BAD_ARGUMENTS
    except click.ClickException as exc:
        Output.plain(wants_json(args)).error("bad_arguments", exc.format_message())
        return EXIT_BAD_ARGUMENTS
    except (click.Abort, KeyboardInterrupt):
        Output.plain(wants_json(args)).tell(tr("interrupted"))
        return EXIT_INTERRUPTED
    except OuzelError as exc:
        Output.plain(wants_json(args)).error(exc.code, str(exc))
        return exit_code(exc)
    return result if isinstance(result, int) else EXIT_OK


def _open_standard_streams() -> None:
    """Whoever started us may have closed one (`2>&-`): a file of ours would be opened in its place, and text written into it."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(fd, True)
    os.close(fd)
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def wants_json(args: Sequence[str] | None) -> bool:
    return "--json" in (sys.argv[1:] if args is None else args)


def main() -> None:
    _open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that the terminal cannot show is shown by its numbers
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run())
