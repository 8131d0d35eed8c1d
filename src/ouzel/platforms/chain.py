"""Asking a platform's adapters one after the other, and holding what they say against what they were told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, TypeAlias
from urllib.parse import unquote, urljoin

from ouzel.base.errors import (
    ChannelGone,
    OuzelError,
    ResolverFailed,
    SiteChanged,
    SiteError,
    TooManyRedirects,
    UnknownSite,
)
from ouzel.base.urls import redact, redact_text
from ouzel.model.evidence import Evidence
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site
from ouzel.platforms.contract import Adapter, AdapterName, Match, Options, Platform
from ouzel.platforms.keeping import Store
from ouzel.platforms.registry import Registry
from ouzel.platforms.secrets import hide, secrets_of
from ouzel.platforms.watch import Watch, watching

_HOPS = 5
AdapterFor: TypeAlias = Callable[[AdapterName, Match], Adapter]


@dataclass(frozen=True, slots=True)
class Told:
    """What one adapter said."""

    adapter: AdapterName | Literal[""]
    """Empty where none was asked, or where it is not known which one it was."""
    outcome: Answer | OuzelError
    evidence: tuple[Evidence, ...]


def resolve(
    match: Match,
    options: Options,
    adapter_for: AdapterFor,
    only: AdapterName | None = None,
    store: Store | None = None,
) -> Told:
    """The first adapter's word that is not "I am broken"; where all are, that of the first, which is the best kept. The evidence
    is of all that were asked, and an error tells what each of them said.

    "Gone" for no other reason than a 404 is no word of the site, whose API may have moved: it holds when nobody gets an answer.

    Args:
        store: of tokens for our own code; None: each resolve asks for its own.
    """
    asked: list[Told] = []
    for name in (only,) if only else _order(match.platform, options):
        asked.append(_beside(asked, ask(name, adapter_for, match, options, store)))
        if _is_heard(asked[-1].outcome, asked):
            return _with_all(asked[-1], asked)
    unheard = next((told for told in asked if isinstance(told.outcome, ChannelGone)), asked[0])
    return _with_all(unheard, asked)


def ask(name: AdapterName, adapter_for: AdapterFor, match: Match, options: Options, store: Store | None = None) -> Told:
    """One adapter. Never raises: what it raises that is no OuzelError, also while it is imported, is `ResolverFailed`, or what
    its requests met."""
    with watching(name) as watch:
        platform = match.platform
        given = options if name in platform.login else replace(options, login="", password="")
        drawer = store.drawer(platform.name, given.login, given.password, given.proxy) if store else None
        site = Site(watch, given, browser_tls=platform.browser_tls, drawer=drawer)
        try:
            outcome = _believed(adapter_for(name, match).resolve(match, site, given), watch, name, match)
        except SiteError as exc:
            outcome = _rather(exc, watch, match)
        except OuzelError as exc:
            outcome = watch.explain(exc)
        except Exception as exc:  # noqa: BLE001 - the code of others, which raises whatever comes
            outcome = _rather(_crash(exc, name), watch, match)
        finally:
            site.close()
        for error in (outcome, *(exchange.fault for exchange in watch.seen)):
            _let_go(error)
        return _without_secrets(Told(name, outcome, watch.evidence), options)


def expand(match: Match, registry: Registry, options: Options) -> Match:
    """Where a short link leads. The user's cookies stay here: it may lead anywhere.

    Raises: UnknownSite; SiteError, NetworkError.
    """
    with watching() as watch:
        site = Site(watch, options)
        try:
            url = match.url
            for _ in range(_HOPS):
                reply = site.get(url, redirects=False, bare=True)
                onward = reply.headers.get("location") or reply.headers.get("Location") or ""
                if not onward and url == match.url:
                    raise ChannelGone(f"the short link {match.url} leads nowhere any more")
                if not onward:
                    break
                url = urljoin(url, onward)
                if url == match.url:
                    raise TooManyRedirects(f"the short link {match.url} leads to itself")
                if (found := registry.find(url)) is not None:
                    return found
            raise UnknownSite(f"the short link {match.url} leads to no channel: {redact(url)[:200]}")
        except OuzelError as exc:
            raise watch.explain(exc) from None
        finally:
            site.close()


def _believed(answer: Answer, watch: Watch, name: AdapterName, match: Match) -> Answer | OuzelError:
    """Nobody says "offline" on the word of a request that failed, nor "live" without a stream."""
    platform = match.platform
    if name != "own" and (stable := watch.find(platform.stable)):
        answer = replace(answer, identity=match.identity(stable))
    idle = () if name == "own" else platform.off_air
    said = name == "own" or not isinstance(answer, Offline) or watch.says(idle)
    if isinstance(answer, Offline) and (fault := watch.first_fault(but=idle)) is not None:
        return watch.explain(_of_the_channel(fault, watch, match))
    if not said and watch.seen:
        return watch.explain(SiteChanged(f"{name} says that it is offline; {platform.title} has not said so"))
    if isinstance(answer, Offline) and not watch.seen:
        return ResolverFailed(f"{name} says that it is offline, and has asked nobody")
    if isinstance(answer, Live) and not answer.streams:
        return watch.explain(SiteChanged(f"{name} says that it is live, and names no stream"))
    return answer


def _rather(error: SiteError, watch: Watch, match: Match) -> OuzelError:
    """What went wrong first explains what was not understood afterwards."""
    fault = watch.first_fault()
    if fault is not None and (isinstance(error, (SiteChanged, ResolverFailed)) or error is fault):
        return watch.explain(_of_the_channel(fault, watch, match))
    return watch.explain(error)


def _of_the_channel(fault: OuzelError, watch: Watch, match: Match) -> OuzelError:
    """That a page is not there means that the channel is gone only where its address names the channel, and nothing else
    was asked before: an API that has moved is not there either, for all channels."""
    if not isinstance(fault, ChannelGone) or not _is_by_status(fault):
        return fault
    asked = unquote(watch.seen[0].evidence.url).lower()
    if watch.seen[0].fault is fault and any(name.lower() in asked for name in match.named.values() if name):
        return fault
    return SiteChanged(f"a part of what was asked for is not there: {fault}", **fault.context)


def _beside(asked: Sequence[Told], told: Told) -> Told:
    """That a page is not there does not mean that the channel is gone where somebody before was answered: who asks now may ask
    where nothing is any more."""
    fault = told.outcome
    answered = any(each.status is not None and each.status < 300 for one in asked for each in one.evidence)
    if not answered or not isinstance(fault, ChannelGone) or not _is_by_status(fault):
        return told
    context = fault.context
    return replace(told, outcome=SiteChanged(f"others were answered, and {told.adapter} was not: {fault}", **context))


def _crash(exc: Exception, name: AdapterName) -> SiteError:
    words = f"{type(exc).__name__}: {redact_text(str(exc))[:200]}"
    kind = SiteChanged if isinstance(exc, (LookupError, ValueError, TypeError, AttributeError)) else ResolverFailed
    return kind(f"{name} does not understand what it was told", adapter=name, words=words)


def _let_go(error: object) -> None:
    """Of the frames of a traceback, which hold the connections of their requests open until garbage is collected."""
    if isinstance(error, BaseException):
        error.__traceback__ = error.__cause__ = error.__context__ = None


def _without_secrets(told: Told, options: Options) -> Told:
    secrets, outcome = secrets_of(options), told.outcome
    if secrets and isinstance(outcome, OuzelError):
        outcome.message = hide(outcome.message, secrets)
        outcome.context = hide(outcome.context, secrets)
    return Told(told.adapter, outcome, tuple(Evidence(**hide(asdict(each), secrets)) for each in told.evidence))


def _order(platform: Platform, options: Options) -> Sequence[AdapterName]:
    """With an account, who can sign in comes first; who has cookies needs none."""
    if not options.login or options.cookies:
        return platform.chain
    return sorted(platform.chain, key=lambda name: name not in platform.login)


def _with_all(told: Told, asked: Sequence[Told]) -> Told:
    evidence = tuple(each for one in asked for each in one.evidence)
    if isinstance(told.outcome, OuzelError):
        told.outcome.context["evidence"] = [each.fields() for each in evidence]
        told.outcome.context["tried"] = [
            {"adapter": one.adapter, "code": one.outcome.code, "why": str(one.outcome)}
            for one in asked
            if isinstance(one.outcome, OuzelError)
        ]
    return replace(told, evidence=evidence)


def _is_heard(outcome: Answer | OuzelError, asked: Sequence[Told]) -> bool:
    """Whether nobody else needs to be asked. Who is not let in after a 404 has not said more than that."""
    doubted = any(isinstance(told.outcome, ChannelGone) for told in asked)
    if isinstance(outcome, OuzelError) and doubted:
        return isinstance(outcome, ChannelGone) and not _is_by_status(outcome)
    return not isinstance(outcome, (SiteChanged, ResolverFailed))


def _is_by_status(fault: ChannelGone) -> bool:
    """And not by what the site says."""
    return "status" in fault.context
