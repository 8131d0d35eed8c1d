"""All senders behind one call."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping

import anyio

from ouzel.base.errors import BadOption, OuzelError, Stalled, TargetRefused
from ouzel.notify.chats import Dingtalk, Telegram, Wecom
from ouzel.notify.host import AppriseHost
from ouzel.notify.posting import Poster
from ouzel.notify.pushes import Bark, Ntfy, Pushplus, Serverchan, Xizhi
from ouzel.notify.sender import Outgoing, Send, Settings
from ouzel.notify.webhook import Webhook
from ouzel.system.guard import Lookup
from ouzel.system.http import HttpClient

LIMIT_S = 60.0
"""For one attempt, whatever its sender does."""
_log = logging.getLogger(__name__)


class Senders:
    """Args:
    lookup, tls: for tests: who finds the addresses of names, and whom mail trusts.
    limit_s: for one attempt.
    """

    def __init__(
        self,
        http: HttpClient,
        apprise: AppriseHost,
        *,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
        limit_s: float = LIMIT_S,
    ) -> None:
        poster = Poster(http, lookup)
        self._email: Send | None = None
        self._lookup = lookup
        self._tls = tls
        self._apprise = apprise
        self._limit_s = limit_s
        self._by_kind: Mapping[str, Send] = {
            "xizhi": Xizhi(poster), "wecom": Wecom(poster), "serverchan": Serverchan(poster),
            "dingtalk": Dingtalk(poster), "telegram": Telegram(poster), "email": self._mail,
            "bark": Bark(poster), "ntfy": Ntfy(poster), "pushplus": Pushplus(poster), "webhook": Webhook(poster),
            "apprise": apprise,
        }  # fmt: skip

    async def send(self, kind: str, settings: Settings, message: Outgoing) -> None:
        """Raises: OuzelError; its class says whether trying again can help."""
        with anyio.move_on_after(self._limit_s) as scope:
            try:
                await self._by_kind[kind](message, settings)
            except OuzelError:
                raise
            except Exception as exc:
                _log.exception("a bug in the sender of %s", kind)
                raise TargetRefused(f"a bug in Ouzel: {type(exc).__name__}, told in its log") from None
        if scope.cancelled_caught:
            raise Stalled(f"the service did not answer within {self._limit_s:g} s")

    async def _mail(self, message: Outgoing, settings: Settings) -> None:
        if self._email is None:
            from ouzel.notify.mailing import Email  # only who sends mail pays for the library

            self._email = Email(self._lookup, self._tls)
        await self._email(message, settings)

    async def check(self, kind: str, settings: Settings) -> None:
        """Of settings that have the right shape: whether they can work at all. Nothing is sent.

        Raises: BadOption, whose context has `pointer`; ToolMissing when there is no apprise.
        """
        match kind:
            case "apprise":
                await self._apprise.check(settings)
            case "bark" | "ntfy" if not settings["url"].split("://", 1)[1].rstrip("/").partition("/")[2]:
                raise BadOption(
                    f"the address ends with the {'key' if kind == 'bark' else 'topic'}", pointer="/settings/url"
                )
            case "email" if not (settings.get("from") or settings.get("login")):
                raise BadOption("who is it from: give from or login", pointer="/settings/from")
            case _:
                pass
