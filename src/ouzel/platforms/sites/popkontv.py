"""PopkonTV: channels of popkontv.com. The page says what is on air; a watching session, as guest or account, gives the stream.

Source of shapes: https://github.com/wzgrx/pure_live (docs, PopkonTV), streamget's class.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
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
    proxy_advised=True,
    streamget="PopkonTVLiveStream",
    headers=(("Referer", "https://www.popkontv.com/"), ("Origin", "https://www.popkontv.com")),
    note="channels for adults need an account; `&pwd=` opens one with a password",
)
_SITE = "https://www.popkontv.com"
_CLIENT = "FpAhe6mh8Qtz116OENBmRddbYVirNKasktdXQiuHfm88zRaFydTsFy63tzkdZY0u"
"""How the web page names itself."""
_PARTNER = "P-00001"
_DONE, _AGAIN, _SIGN_IN, _UNVERIFIED = "L0000", "L0001", "E5000", "L000A"
_ADULTS = "19세"


class PopkonTvAdapter:
    """One channel."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user, partner = match["user"], match.named.get("partner", _PARTNER)
        identity = match.identity(user)
        cast = _cast(site, user, partner)
        if cast is None:
            return Offline(identity, _known(site, user))
        password = _password(match.url)
        if str(peek(cast, "mc_isPrivate") or 0) != "0" and not password:
            raise NeedsLogin(f"the channel {user} wants a password")
        doc = _watch(site, cast, partner, password, options)
        url = dig(doc, "data", "castHlsUrl", want=str)
        stream = Stream(
            url,
            headers=(("Referer", f"{_SITE}/live/view?castId={user}&partnerCode={partner}"), ("Origin", _SITE)),
            proxy=options.proxy or None,
            protocol="hls",
            level="original",
            cdn=urlsplit(url).hostname or "",
        )
        return Live(
            identity,
            peek(cast, "mc_nickName") or peek(cast, "nickName") or user,
            (stream,),
            peek(cast, "mc_castTitle") or peek(cast, "castTitle") or "",
            broadcast=str(peek(cast, "mc_castStartDate") or ""),
        )


def adapter() -> PopkonTvAdapter:
    return PopkonTvAdapter()


def _cast(site: Site, user: str, partner: str) -> dict[str, Any] | None:
    """What is on air; None when the page of the channel has nothing."""
    page = site.get(
        f"{_SITE}/live/view", params={"castId": user, "partnerCode": partner}, headers=dict(PLATFORM.headers)
    )
    state = json.loads(page.find(r'<script id="__NEXT_DATA__" type="application/json">(.*?)</script>', "state"))
    props = dig(state, "props", "pageProps", want=dict)
    if "mcData" not in props:
        return None
    cast = dig(props, "mcData", "data", want=dict)
    dig(cast, "mc_castStartDate", want=object)
    return cast


def _known(site: Site, user: str) -> str:
    """The name of a channel that is off air. Raises: ChannelGone when there is none."""
    doc = site.post(
        f"{_SITE}/api/proxy/broadcast/v1.1/search/all",
        body={"partnerCode": _PARTNER, "searchKeyword": user, "signId": ""},
        headers=_headers(),
    ).json()
    found = dig(doc, "data", "broadCastList", want=list)
    name = next((peek(each, "nickName") for each in found if peek(each, "mcSignId") == user), None)
    if name is None:
        raise ChannelGone(f"PopkonTV finds no channel {user}")
    return name


def _watch(site: Site, cast: dict[str, Any], partner: str, password: str, options: Options) -> object:
    """A watching session: as guest first, then with the account if there is one."""
    token, began = "", str(cast["mc_castStartDate"])
    for _ in range(3):
        doc = _session(site, cast, partner, began, password, options.login, token)
        code, message = peek(doc, "statusCd") or "", peek(doc, "statusMsg") or ""
        if code == _AGAIN and began.isdigit():  # the time that counts may be a second before
            began = str(int(began) - 1)
        elif code == _DONE:
            return doc
        elif code == _SIGN_IN and options.login and not token:
            token = _sign_in(site, options)
        elif code in {_SIGN_IN, _UNVERIFIED} or _ADULTS in message:
            raise NeedsLogin(f"PopkonTV answers {code}: {message}")
        else:
            raise SiteChanged(f"PopkonTV answers {code}: {message}")
    raise SiteChanged("PopkonTV does not give a watching session")


def _session(
    site: Site, cast: dict[str, Any], partner: str, began: str, password: str, login: str, token: str
) -> object:
    signed = peek(cast, "mc_signId") or ""
    reply = site.post(
        f"{_SITE}/api/proxy/broadcast/v1/castwatchonoffguest",
        body={
            "androidStore": 0,
            "castCode": f"{signed}-{began}",
            "castPartnerCode": peek(cast, "mc_partnerCode") or partner,
            "castSignId": signed,
            "castType": peek(cast, "castType"),
            "commandType": 0,
            "exePath": 5,
            "isSecret": peek(cast, "mc_isPrivate"),
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
