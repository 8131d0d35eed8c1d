"""Signing in and out, and the first account."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ouzel.api.auth import SignedIn
from ouzel.api.cookies import REFRESH, clear_cookies, require_same_origin, set_cookies
from ouzel.api.problems import problems
from ouzel.api.schemas.auth import LoginIn, PasswordIn, RefreshIn, SessionOut, SetupIn
from ouzel.api.schemas.users import MeOut
from ouzel.api.services import Served, Services
from ouzel.api.visit import visit_of
from ouzel.base.errors import BadLogin, CrossSite, NotAllowed, NotSignedIn, TooManyAttempts, WeakPassword
from ouzel.services import auth

router = APIRouter(prefix="/api/auth", tags=["auth"])


@router.post("/setup", status_code=201, responses=problems(NotAllowed, WeakPassword, TooManyAttempts))
async def set_up(body: SetupIn, request: Request, response: Response, services: Served) -> SessionOut:
    """Make the first administrator with the link that the daemon printed, and sign in."""
    require_same_origin(request, services, None)
    got = await services.auth.setup(body.token, body.name, body.password, visit_of(request).client)
    return _signed_in(got, request, response, services, with_tokens=body.tokens == "body")


@router.post("/login", responses=problems(BadLogin, CrossSite, TooManyAttempts))
async def log_in(body: LoginIn, request: Request, response: Response, services: Served) -> SessionOut:
    """Sign in with name and password."""
    require_same_origin(request, services, None)
    got = await services.auth.login(body.name, body.password, visit_of(request).client)
    return _signed_in(got, request, response, services, with_tokens=body.tokens == "body")


@router.post("/refresh", responses=problems(NotSignedIn, CrossSite))
async def refresh(request: Request, response: Response, services: Served, body: RefreshIn | None = None) -> SessionOut:
    """Change a refresh token for a new one and a new access token. Used a second time it ends the session."""
    if body is None:
        require_same_origin(request, services, None)
    token = body.refresh_token if body is not None else request.cookies.get(REFRESH)
    if token is None:
        raise NotSignedIn("there is no refresh token")
    got = await services.auth.refresh(token, visit_of(request).client)
    return _signed_in(got, request, response, services, with_tokens=body is not None)


@router.post("/logout", status_code=204, responses=problems(NotSignedIn, CrossSite))
async def log_out(request: Request, response: Response, services: Served, who: SignedIn) -> None:
    """End this session, on the server too."""
    await services.auth.logout(who, visit_of(request).client)
    clear_cookies(response, visit_of(request))


@router.get("/me", responses=problems(NotSignedIn))
async def show_me(services: Served, who: SignedIn) -> MeOut:
    """Who asks, and what they may do."""
    return MeOut.of_principal(who, await services.auth.user(who))


@router.post(
    "/password", status_code=204, responses=problems(NotSignedIn, BadLogin, NotAllowed, WeakPassword, TooManyAttempts)
)
async def change_password(body: PasswordIn, request: Request, services: Served, who: SignedIn) -> None:
    """Change one's own. All other sessions of the account end."""
    await services.auth.change_password(who, body.old, body.new, visit_of(request).client)


def _signed_in(
    got: auth.SignedIn, request: Request, response: Response, services: Services, *, with_tokens: bool
) -> SessionOut:
    if not with_tokens:
        set_cookies(response, visit_of(request), got, services.db.clock.now())
    return SessionOut.of(got, with_tokens=with_tokens)
