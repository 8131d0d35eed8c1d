"""PopkonTV: channels of popkontv.com. A search for the channel says what is on air; its page does, too, of what guests do
not find in the search. A watching session, as guest or account, gives the stream.

Source of shapes: https://github.com/wzgrx/pure_live (docs, PopkonTV), streamget's class.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="popkontv",
    title="PopkonTV",
    title_zh="PopkonTV",
    urls=(
        "popkontv.com/live/view?castId={user}&partnerCode={partner}",
        "popkontv.com/live/view?castId={user}",
        "popkontv.com/channel/notices?mcid={user}&mcPartnerCode={partner}",
        "popkontv.com/channel/{..}?mcid={user}",
    ),
    example="https://www.popkontv.com/live/view?castId=wjfal007&partnerCode=P-00117",
    chain=("own",),
    access="cookie",
    login=("own",),
    proxy_advised=True,
    streamget="PopkonTVLiveStream",
    headers=(("Referer", "https://www.popkontv.com/"), ("Origin", "https://www.popkontv.com")),
    note="channels for adults need an account; `&pwd=` opens one with a password",
)
_SITE = "https://www.popkontv.com"
_CLIENT = "FpAhe6mh8Qtz116OENBmRddbYVirNKasktdXQiuHfm88zRaFydTsFy63tzkdZY0u"
"""How the web page names itself."""
_PARTNER = "P-00001"
_KNOWN = "S2000"
_NOT_ON_AIR = "E4004"
_DONE, _AGAIN, _SIGN_IN, _UNVERIFIED = "L0000", "L0001", "E5000", "L000A"
_ADULTS = "19세"
_TICKET_S = 86400.0


@dataclass(frozen=True, slots=True)
class _Cast:
    """What is on air, from either of the two that tell."""

    user: str
    partner: str
    began: str
    kind: object
    private: str
    anchor: str
    title: str
    cover: str = ""


class PopkonTvAdapter:
    """One channel."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user, partner = match["user"], match.named.get("partner", "")
        identity = match.identity(user)
        anchor, cast = _search(site, user, partner)
        cast = cast or _page(site, user, partner or _PARTNER)
        if cast is None:
            return Offline(identity, anchor)
        password = _password(match.url)
        if cast.private != "0" and not password:
            raise NeedsLogin(f"the channel {user} wants a password")
        url = dig(_watch(site, cast, password, options), "data", "castHlsUrl", want=str)
        stream = match.stream(
            url,
            options,
            headers=(("Referer", f"{_SITE}/live/view?castId={user}&partnerCode={cast.partner}"), ("Origin", _SITE)),
            level="original",
        )
        return Live(identity, cast.anchor or anchor, (stream,), cast.title, cover=cast.cover, broadcast=cast.began)


def adapter() -> PopkonTvAdapter:
    return PopkonTvAdapter()


def _search(site: Site, user: str, partner: str) -> tuple[str, _Cast | None]:
    """Whose channel it is, and what is on air as far as guests may see it. Raises: ChannelGone when there is none."""
    doc = site.post(
        f"{_SITE}/api/proxy/broadcast/v1.1/search/all",
        body={"partnerCode": _PARTNER, "searchKeyword": user, "signId": ""},
        headers=_headers(),
    ).json()
    if peek(doc, "statusCd") != _KNOWN:
        raise SiteChanged(f"PopkonTV answers {peek(doc, 'statusCd')}: {peek(doc, 'statusMsg')}")
    data = dig(doc, "data", want=dict)

    def ours(key: str) -> Any:
        return next(
            (
                each
                for each in peek(data, key) or ()
                if str(peek(each, "mcSignId")).lower() == user.lower() and partner in ("", peek(each, "mcPartnerCode"))
            ),
            None,
        )

    live, profile = ours("liveList"), ours("broadCastList")
    if live is None and profile is None:
        raise ChannelGone(f"PopkonTV finds no channel {user}")
    anchor = peek(profile, "nickName") or peek(live, "mcNickName") or ""
    if live is None:
        return anchor, None
    return anchor, _Cast(
        dig(live, "mcSignId", want=str),
        dig(live, "mcPartnerCode", want=str),
        str(dig(live, "castStartDateCode", want=object)),
        peek(live, "castType"),
        str(peek(live, "isPrivate") or 0),
        anchor,
        peek(live, "castTitle") or "",
        peek(live, "imgUrl") or "",
    )


def _page(site: Site, user: str, partner: str) -> _Cast | None:
    """What the channel's page has on air: broadcasts for adults too, which guests do not find."""
    page = site.get(
        f"{_SITE}/live/view", params={"castId": user, "partnerCode": partner}, headers=dict(PLATFORM.headers)
    )
    state = json.loads(page.find(r'<script id="__NEXT_DATA__" type="application/json">(.*?)</script>', "state"))
    props = dig(state, "props", "pageProps", want=dict)
    cast = peek(props, "mcData", "data")
    code = peek(props, "mcData", "statusCd")
    if code not in {_KNOWN, _NOT_ON_AIR, None}:
        raise SiteChanged(f"the page of PopkonTV answers {code}: {peek(props, 'mcData', 'statusMsg')}")
    if not cast or code == _NOT_ON_AIR:
        return None
    return _Cast(
        str(peek(cast, "mc_signId") or user),
        peek(cast, "mc_partnerCode") or partner,
        str(dig(cast, "mc_castStartDate", want=object)),
        peek(cast, "castType"),
        str(peek(cast, "mc_isPrivate") or 0),
        peek(cast, "mc_nickName") or "",
        peek(cast, "mc_castTitle") or "",
    )


def _watch(site: Site, cast: _Cast, password: str, options: Options) -> object:
    """A watching session: as guest first, then with the account if there is one."""
    token, began = "", cast.began
    account = site.tokens("ticket", _TICKET_S, lambda: _sign_in(site, options)) if options.login else iter(())
    for _ in range(5):
        doc = _session(site, cast, began, password, options.login, token)
        code, message = peek(doc, "statusCd") or "", peek(doc, "statusMsg") or ""
        if code == _AGAIN and began.isdigit():  # the time that counts may be a second before
            began = str(int(began) - 1)
        elif code == _DONE:
            return doc
        elif code == _SIGN_IN and (token := next(account, "")):
            continue
        elif code in {_SIGN_IN, _UNVERIFIED} or _ADULTS in message:
            raise NeedsLogin(f"PopkonTV answers {code}: {message}")
        else:
            raise SiteChanged(f"PopkonTV answers {code}: {message}")
    raise SiteChanged("PopkonTV does not give a watching session")


def _session(site: Site, cast: _Cast, began: str, password: str, login: str, token: str) -> object:
    reply = site.post(
        f"{_SITE}/api/proxy/broadcast/v1/castwatchonoffguest",
        body={
            "androidStore": 0,
            "castCode": f"{cast.user}-{began}",
            "castPartnerCode": cast.partner,
            "castSignId": cast.user,
            "castType": cast.kind,
            "commandType": 0,
            "exePath": 5,
            "isSecret": cast.private,
            "partnerCode": _PARTNER,
            "password": password,
            "signId": login if token else "",
            "version": "4.6.2",
        },
        headers={**_headers(), **({"Authorization": f"Bearer {token}"} if token else {})},
        accept=(400,),
    )
    return {"statusCd": _SIGN_IN, "statusMsg": "400"} if reply.status == 400 else reply.json()


def _sign_in(site: Site, options: Options) -> str:
    doc = site.post(
        f"{_SITE}/api/proxy/member/v1/login",
        body={"partnerCode": _PARTNER, "signId": options.login, "signPwd": options.password},
        headers={**_headers(), "Authorization": f"Basic {_CLIENT}"},
    ).json()
    if peek(doc, "statusCd") != "S2000":
        raise NeedsLogin(f"PopkonTV does not take the account: {peek(doc, 'statusMsg')}")
    return dig(doc, "data", "token", want=str)


def _headers() -> dict[str, str]:
    return {**dict(PLATFORM.headers), "clientKey": f"Client {_CLIENT}", "isNew": "true"}


def _password(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("pwd", [""])[0]
