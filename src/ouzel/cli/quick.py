"""`ouzel resolve --quick`: who is on air of many, a line for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import anyio

from ouzel.base.errors import BadOption, DiskFull, InputError, OuzelError
from ouzel.base.urls import redact
from ouzel.cli import main
from ouzel.cli.output import Output, pad
from ouzel.cli.texts import reason, tr
from ouzel.model.live import Answer, State, state_of
from ouzel.platforms.contract import Options, Peek
from ouzel.platforms.host import HostLimits, ResolverHost, open_host
from ouzel.platforms.peeking import Peeked
from ouzel.platforms.registry import registry, tidy

_MOST_BYTES = 4 * 1024 * 1024
_STATE_COLUMNS = 12
_Asked: TypeAlias = Sequence[tuple[str, Options | OuzelError]]
_Known: TypeAlias = Peek | Answer | OuzelError


def read_list(path: Path) -> tuple[str, ...]:
    """The addresses in a file, one a line; what follows `#` at the start of a line is a remark. `-`: standard input.

    Raises: BadOption.
    """
    try:
        with open(0 if str(path) == "-" else path, "rb", closefd=str(path) != "-") as file:
            data = file.read(_MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is no UTF-8"
        raise BadOption(f"--list: {path} cannot be read: {why}") from None
    if len(data) > _MOST_BYTES:
        raise BadOption(f"--list: {path} has more than {_MOST_BYTES} bytes")
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


async def quick_look(asked: _Asked, limits: HostLimits, codes: Mapping[State, int], output: Output) -> int:
    """Ask about all of them in as few questions as can be, and in full about those of whom that tells nothing.

    Returns: the highest of the exit codes. Raises: DiskFull.
    """
    asked = [(url if isinstance(given, OuzelError) else tidy(url), given) for url, given in asked]
    known: dict[int, _Known] = {n: given for n, (_, given) in enumerate(asked) if isinstance(given, OuzelError)}
    told = _Teller(asked, codes, output)
    async with open_host(limits) as host:
        peeks = await _probe(host, asked)
        known |= {n: peek for n, (url, _) in enumerate(asked) if isinstance(peek := peeks.get(url), Peek)}
        told.tell(known)

        async def resolve(number: int, url: str, options: Options) -> None:
            known[number] = (await host.resolve(url, options)).outcome
            told.tell(known)

        async with anyio.create_task_group() as tasks:
            for number, (url, options) in enumerate(asked):
                if number not in known and isinstance(options, Options):
                    tasks.start_soon(resolve, number, url, options)
    if told.full is not None:
        raise told.full
    return told.worst


async def _probe(host: ResolverHost, asked: _Asked) -> Mapping[str, Peeked]:
    groups: dict[Options, dict[str, str]] = {}
    for url, options in asked:
        if isinstance(options, Options):
            groups.setdefault(options, {})[url] = ""
    peeks: dict[str, Peeked] = {}

    async def ask(options: Options, urls: dict[str, str]) -> None:
        peeks.update(await host.probe(urls, options))

    async with anyio.create_task_group() as tasks:
        for options, urls in groups.items():
            tasks.start_soon(ask, options, urls)
    return peeks


class _Teller:
    """Tells what is known in the order of the addresses, as soon as all before it is."""

    def __init__(self, asked: _Asked, codes: Mapping[State, int], output: Output) -> None:
        self.worst = main.EXIT_OK
        self.full: DiskFull | None = None
        """There is no room for what it tells: it tells no more."""
        self._asked = asked
        self._codes = codes
        self._output = output
        self._next = 0

    def tell(self, known: Mapping[int, _Known]) -> None:
        try:
            self._tell(known)
        except DiskFull as exc:  # raised in a task it would come out inside a group
            self.full, self._next = exc, len(self._asked)

    def _tell(self, known: Mapping[int, _Known]) -> None:
        while (outcome := known.get(self._next)) is not None:
            url, _ = self._asked[self._next]
            self._next += 1
            state = _state(outcome)
            self.worst = max(self.worst, self._codes[state] if state else main.EXIT_BAD_ARGUMENTS)
            self._output.json(_fields(url, state, outcome))
            word = tr(f"known.{state.value}" if state else "quick.no_channel")
            self._output.say(f"{pad(word, _STATE_COLUMNS)}{redact(url)}{''.join(_words(outcome))}")


def _state(outcome: _Known) -> State | None:
    """None: it is no address of a channel."""
    if isinstance(outcome, Peek):
        return State.LIVE if outcome.live else State.OFFLINE
    return None if isinstance(outcome, InputError) else state_of(outcome)


def _words(outcome: _Known) -> Iterator[str]:
    if isinstance(outcome, OuzelError):
        yield f"  {reason(outcome.code, str(outcome))} ({outcome.code})"
        return
    for text in (outcome.anchor, outcome.title):
        if text:
            yield f"  {' '.join(text.split())}"


def _fields(url: str, state: State | None, outcome: _Known) -> dict[str, Any]:
    match = None if isinstance(outcome, InputError) else registry().known(url)
    doc = {
        "event": "seen",
        "url": url,
        "platform": match.platform.name if match else "",
        "state": state and state.value,
    }
    if isinstance(outcome, OuzelError):
        return {**doc, "in_full": True, "code": outcome.code, "message": str(outcome)}
    return {**doc, "in_full": not isinstance(outcome, Peek), "anchor": outcome.anchor, "title": outcome.title}
