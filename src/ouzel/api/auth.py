"""Who asks, and whether they may: parameters of routes.

    async def list_channels(who: CanRead, …)       # anybody who has signed in
    async def change_channel(who: CanEdit, …)      # editors, and keys with the scope `write`
    async def remove_user(who: IsAdmin, …)
    async def play(who: CanPlay, …)                # CanRead, or an address that was signed

A channel that somebody may not see is not there for them: `require_visible`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, TypeAlias

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from ouzel.api.cookies import ACCESS, require_same_origin
from ouzel.api.frame import SAFE
from ouzel.api.services import Served
from ouzel.api.visit import visit_of
from ouzel.base.errors import NotAllowed, NotFound, NotSignedIn
from ouzel.model.users import Principal, Scope, Via

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An API key (`ouzel_…`), or an access token of `POST /api/auth/login`",
)
_cookie = APIKeyCookie(
    name=ACCESS, auto_error=False, scheme_name="cookie", description="Set by `POST /api/auth/login` for browsers"
)


async def who_asks(
    request: Request,
    services: Served,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> Principal:
    """Raises: NotSignedIn, CrossSite."""
    if bearer is not None:
        who = await services.auth.identify(bearer.credentials, Via.BEARER)
    elif "authorization" in request.headers:
        raise NotSignedIn("this kind of Authorization is not known here: Bearer is")
    elif cookie is not None:
        who = await services.auth.identify(cookie, Via.COOKIE)
        if request.method not in SAFE:
            require_same_origin(request, services, who.session)
    else:
        raise NotSignedIn("sign in, or give an API key")
    visit_of(request).principal = who
    return who


SignedIn: TypeAlias = Annotated[Principal, Depends(who_asks)]


def _can(wanted: Scope) -> Callable[[Principal], Awaitable[Principal]]:
    async def check(who: SignedIn) -> Principal:
        if not who.may(wanted):
            raise NotAllowed(f"this needs the right to {wanted}, which this account or key does not have")
        return who

    return check


CanRead: TypeAlias = Annotated[Principal, Depends(_can(Scope.READ))]
CanEdit: TypeAlias = Annotated[Principal, Depends(_can(Scope.WRITE))]
IsAdmin: TypeAlias = Annotated[Principal, Depends(_can(Scope.ADMIN))]


async def _may_play(
    request: Request,
    services: Served,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> Principal:
    if "sign" not in request.query_params:
        return await _can(Scope.READ)(await who_asks(request, services, bearer, cookie))
    user_id = services.secrets.signer.verify(request.url.path, request.url.query, services.db.clock.now())
    who = visit_of(request).principal = await services.auth.signed_for(user_id)
    return who


CanPlay: TypeAlias = Annotated[Principal, Depends(_may_play)]


async def _may_measure(
    request: Request,
    services: Served,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> None:
    if not services.rules.metrics_open and (await who_asks(request, services, bearer, cookie)).grants:
        raise NotAllowed("metrics count all channels, also those that this account or key may not see")


async def _of_all(who: CanRead) -> Principal:
    if who.grants:
        raise NotAllowed("this is about all channels, also those that this account or key may not see")
    return who


SeesAll: TypeAlias = Annotated[Principal, Depends(_of_all)]
"""Beside the right to read: for what cannot be told channel by channel."""


async def _edits_all(who: CanEdit) -> Principal:
    return await _of_all(who)


EditsAll: TypeAlias = Annotated[Principal, Depends(_edits_all)]


MayMeasure = Depends(_may_measure)
"""Among the `dependencies` of a route: who may see numbers of everything."""


def require_visible(who: Principal, labels: Collection[str], what: str = "channel") -> None:
    """Raises: NotFound: it tells nothing of what somebody may not see, not even that it is there."""
    if not who.sees(labels):
        raise NotFound(f"there is no such {what}")
