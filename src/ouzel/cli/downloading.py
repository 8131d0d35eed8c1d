"""What one call of `ouzel download` is to do: its words, checked before anything is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ouzel.base.errors import BadOption, NotOnAir, OuzelError
from ouzel.base.units import parse_duration, parse_size
from ouzel.base.urls import parse_url, redact
from ouzel.cli.access_options import AccessWords, read_cookie_file
from ouzel.cli.download_defaults import Usual
from ouzel.cli.download_words import Entry, read_key, read_task_file
from ouzel.cli.job import read_address, read_header
from ouzel.cli.output import Output
from ouzel.cli.target import read_output
from ouzel.cli.texts import reason
from ouzel.model.choice import Taste
from ouzel.model.downloads import DownloadWish, Pace, ProfileName
from ouzel.model.naming import safe_name
from ouzel.model.stream import Stream
from ouzel.system.clock import Clock
from ouzel.system.http.given import read_proxy

if TYPE_CHECKING:
    from ouzel.cli.access import Access
    from ouzel.engine.download.asking import Address
    from ouzel.engine.download.downloader import Find
    from ouzel.engine.workshop import Page


@dataclass(frozen=True, slots=True)
class Task:
    """One download of the call."""

    wish: DownloadWish
    label: str
    """Its name, or the address as it may be shown."""
    page: bool
    place: str = ""
    """Where it stands in a file of tasks: `tasks.json:3`."""

    @property
    def shown_url(self) -> str:
        return redact(self.wish.url)

    @property
    def target(self) -> tuple[Path, str]:
        """The same of two that would write the same file."""
        return self.wish.folder, self.wish.stem.casefold() or f"?{self.wish.url}"


@dataclass(frozen=True, slots=True)
class Words:
    """The words of the command line."""

    urls: tuple[str, ...]
    output: str | None
    name: str | None
    quality: str
    audio: tuple[str, ...]
    subs: tuple[str, ...]
    profile: ProfileName | None
    threads: int | None
    limit_rate: str | None
    from_: str | None
    to: str | None
    format_: str | None
    key: str | None
    headers: tuple[str, ...]
    streaming: bool
    allow_gaps: bool
    keep_tracks: bool
    min_free: str
    access: AccessWords = field(default_factory=AccessWords)

    @property
    def min_free_bytes(self) -> int:
        return parse_size(self.min_free)

    async def finder(self, tasks: list[Task], clock: Clock, stack: AsyncExitStack) -> Find:
        """What finds the stream of an address: itself, or what its page says."""
        from ouzel.engine.download.asking import Address

        pages = [task.wish.url for task in tasks if task.page]
        asked = await _pages(self, pages, clock, stack) if pages else dict[str, _Asked]()

        async def find(wish: DownloadWish) -> Address:
            if wish.url in asked:
                return await asked[wish.url].find()
            jar = None
            if self.access.cookies is not None:
                jar = read_cookie_file(self.access.cookies, host=parse_url(wish.url).host)
            return Address(self.stream(wish.url), lambda url: jar.header(url, datetime.now(UTC)) if jar else None)

        return find

    def stream(self, url: str) -> Stream:
        headers = tuple(read_header(text) for text in self.headers)
        if self.access.user_agent:
            headers = (*headers, read_header(f"User-Agent: {self.access.user_agent}"))
        proxy = read_proxy(self.access.proxy, "--proxy") or None
        return Stream(url, headers, proxy, not self.access.insecure, quality=self.quality)


def read_tasks(words: Words, usual: Usual, output: Output) -> tuple[list[Task], int]:
    """The tasks, and how many entries of files are broken: these are told, and left out.

    Raises: BadUrl, BadOption, OutputExists when nothing at all can be done.
    """
    common = _Common.of(words, usual)
    tasks: list[Task] = []
    broken = 0
    for each in _entries(words, output):
        if each is None:
            broken += 1
            continue
        try:
            task = common.task(each)
            _refuse_twin(task, tasks)
            tasks.append(task)
        except OuzelError as exc:
            if not each.place:
                raise
            output.complain(exc.code, f"{each.place}: {reason(exc.code, exc.message)}")
            broken += 1
    if not tasks:
        raise BadOption("there is nothing to download in what was named")
    return tasks, broken


def _refuse_twin(task: Task, others: Sequence[Task]) -> None:
    """Raises: BadOption when one of them would write the same file."""
    twin = next((other for other in others if other.target == task.target), None)
    if twin is None:
        return
    if twin.wish.url == task.wish.url:
        raise BadOption(f"the same address is given twice: {redact(task.wish.url)}")
    raise BadOption(f"there are several addresses, and one name: {twin.label}")


def _entries(words: Words, output: Output) -> Iterator[Entry | None]:
    """None for one that cannot be read."""
    for url in words.urls:
        if "://" not in url and url.lower().endswith(".json"):
            yield from read_task_file(Path(url), output)
        else:
            yield Entry(url)


@dataclass(frozen=True, slots=True)
class _Common:
    """What all tasks of a call have in common, read once."""

    words: Words
    usual: Usual
    place: Path
    """A folder, or the file itself."""
    ending: str | None
    """Of a file."""
    rate_bps: int | None
    from_s: float | None
    to_s: float | None
    key: bytes | None

    @classmethod
    def of(cls, words: Words, usual: Usual) -> Self:
        """Raises: BadOption, OutputExists."""
        output = words.output or (str(usual.folder) if usual.folder else None)
        place, ending = read_output(output)
        if ending and words.format_ and words.format_.lower() != ending:
            raise BadOption(f"{words.output} ends in .{ending}, but --format says {words.format_.lower()}")
        if ending and words.name:
            raise BadOption(f"{words.output} is a file, and --name another name for it")
        rate = parse_size(words.limit_rate) if words.limit_rate is not None else None
        if rate is not None and rate <= 0:
            raise BadOption("--limit-rate must be more than nothing")
        if words.threads is not None and words.threads > usual.most_connections:
            raise BadOption(f"--threads {words.threads}: [download] allows most_connections = {usual.most_connections}")
        from_s, to_s = _time(words.from_), _time(words.to)
        if to_s is not None and (from_s or 0.0) >= to_s:
            raise BadOption("--from must lie before --to")
        words.stream("http://localhost")  # its headers and proxy are what they should be
        return cls(words, usual, place, ending, rate, from_s, to_s, read_key(words.key))

    def task(self, entry: Entry) -> Task:
        """Raises: BadUrl, BadOption, OutputExists."""
        words = self.words
        address, is_page = read_address(entry.url)
        folder, stem = (self.place.parent, self.place.stem) if self.ending else (self.place, "")
        if entry.folder:
            if "\0" in entry.folder:
                raise BadOption("no folder has such a name")
            folder, _ = read_output(f"{folder / Path(entry.folder).expanduser()}/")
        name = words.name or entry.name
        wish = DownloadWish(
            address,
            folder,
            stem or (safe_name(name, fallback="download") if name else ""),
            entry.quality or words.quality,
            words.audio,
            words.subs,
            self.ending or (words.format_.lower() if words.format_ else None),
            words.keep_tracks,
            self.from_s,
            self.to_s,
            self._pace(entry.profile),
            words.streaming,
            self.key,
            words.allow_gaps,
        )
        return Task(wish, name or redact(address), is_page, entry.place)

    def _pace(self, profile: str) -> Pace:
        """Raises: BadOption."""
        pace = self.usual.pace_of(self.words.profile or profile)
        return replace(pace, connections=self.words.threads or pace.connections, rate_bps=self.rate_bps)


def _time(text: str | None) -> float | None:
    return None if text is None else parse_duration(text)


# -- pages ------------------------------------------------------------------------------------------------------------


async def _pages(words: Words, urls: list[str], clock: Clock, stack: AsyncExitStack) -> Mapping[str, _Asked]:
    from ouzel.cli.access import Access
    from ouzel.cli.pages import open_pages  # and with it all platforms

    access: Access = Access(words.access)
    pages = await stack.enter_async_context(open_pages(clock, wait=False))
    asked: dict[str, _Asked] = {}
    for url in urls:
        given = access.of(url)
        taste = Taste(words.quality, given.settings.codecs or Taste().codecs, given.settings.refuse_codecs)
        page = pages.page(url, given.options, taste, words.stream(url).headers, apart=True)
        asked[url] = _Asked(url, page, lambda each, jar=given.jar: jar.header(each, datetime.now(UTC)))
    return asked


class _Asked:
    """A page of this call."""

    def __init__(self, url: str, page: Page, cookies: Callable[[str], str | None]) -> None:
        self._url = url
        self._page = page
        self._cookies = cookies

    async def find(self) -> Address:
        """Raises: NotOnAir when there is nothing; SiteError, NetworkError."""
        from ouzel.engine.download.asking import Address

        stream = await self._page.resolver.resolve()
        if stream is None:
            raise NotOnAir(f"{redact(self._url)} is offline: there is nothing to download")
        return Address(stream, self._cookies, self._page.told().get("title", ""), page=self._page)
