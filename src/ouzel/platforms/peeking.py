"""Asking a platform about many channels in few questions, where it has such a question. In the child process."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TypeAlias

from ouzel.base.errors import Blocked, NetworkError, OuzelError, ResolverFailed
from ouzel.platforms.asking import Site
from ouzel.platforms.chain import AdapterFor
from ouzel.platforms.contract import Match, Options, Peek, Probing
from ouzel.platforms.registry import Registry
from ouzel.platforms.secrets import hide, secrets_of
from ouzel.platforms.watch import watching

Peeked: TypeAlias = Peek | OuzelError | None
"""None: it has no such question for this channel, or has not answered it."""


def probe(urls: Mapping[str, str], registry: Registry, options: Options, adapter_for: AdapterFor) -> dict[str, Peeked]:
    """What is known of each address.

    Args:
        urls: the addresses, each with the id of its identity, or with nothing where that is not known yet.
    """
    told: dict[str, Peeked] = dict.fromkeys(urls)
    groups: dict[str, list[tuple[str, Match]]] = {}
    for url in urls:
        try:
            match = registry.find(url)
        except OuzelError as exc:
            told[url] = exc
            continue
        if match is not None and "own" in match.platform.chain:
            groups.setdefault(match.platform.name, []).append((url, match))
    for pages in groups.values():
        told |= _probe_platform(pages, urls, options, adapter_for)
    return told


def _probe_platform(
    pages: list[tuple[str, Match]], known: Mapping[str, str], options: Options, adapter_for: AdapterFor
) -> dict[str, Peeked]:
    first = pages[0][1]
    try:
        adapter = adapter_for("own", first)
    except OuzelError as exc:
        return {url: exc for url, _ in pages}
    if not isinstance(adapter, Probing):
        return {}
    ids = {url: known[url] if not adapter.by else match.named.get(adapter.by, "") for url, match in pages}
    told: dict[str, Peeked] = {}
    left = iter(dict.fromkeys(each for each in ids.values() if each))
    while several := list(islice(left, adapter.at_once)):
        answer = _question(adapter, several, first, options)
        asked = set(several)
        found = {url: each for url, each in ids.items() if each in asked}
        told |= {url: answer if isinstance(answer, OuzelError) else answer.get(each) for url, each in found.items()}
        if isinstance(answer, (Blocked, NetworkError)):  # nor would the next ones be answered
            return {url: answer for url, each in ids.items() if each and url not in told} | told
    return told


def _question(adapter: Probing, ids: list[str], match: Match, options: Options) -> Mapping[str, Peek] | OuzelError:
    """One question. What is said while one of its requests failed is not believed where it says "offline"."""
    with watching() as watch:
        site = Site(watch, options, browser_tls=match.platform.browser_tls)
        try:
            told = adapter.probe(ids, site)
        except OuzelError as exc:
            outcome: Mapping[str, Peek] | OuzelError = watch.explain(exc)
        except Exception as exc:  # noqa: BLE001 - the answers of others, in whatever shape they come
            outcome = watch.explain(ResolverFailed(f"the answer is not understood ({type(exc).__name__})"))
        else:
            fault = watch.first_fault()
            outcome = watch.explain(fault) if fault is not None else told
        finally:
            site.close()
    if isinstance(outcome, OuzelError) and (secrets := secrets_of(options)):
        outcome.message, outcome.context = hide(outcome.message, secrets), hide(outcome.context, secrets)
    return outcome
