"""Cookies of a browser that has signed in, and the check that it is our page which asks."""

from __future__ import annotations

import hmac
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from ouzel.api.services import Services
from ouzel.api.visit import Visit, visit_of
from ouzel.base.errors import CrossSite
from ouzel.services.auth import SignedIn

ACCESS, REFRESH, CSRF = "ouzel_access", "ouzel_refresh", "ouzel_csrf"
REFRESH_PATH = "/api/auth"
CSRF_HEADER = "X-CSRF-Token"


def set_cookies(response: Response, visit: Visit, got: SignedIn, now: datetime) -> None:
    """The access token goes with every request to us, the refresh token only to where it is changed for a new one."""
    access_s, refresh_s = (int((until - now).total_seconds()) for until in (got.access_until, got.refresh_until))
    secure = visit.secure
    home, door = _paths(visit)
    response.set_cookie(ACCESS, got.access, access_s, path=home, secure=secure, httponly=True, samesite="lax")
    response.set_cookie(REFRESH, got.refresh, refresh_s, path=door, secure=secure, httponly=True, samesite="strict")
    response.set_cookie(CSRF, got.csrf, refresh_s, path=home, secure=secure, httponly=False, samesite="strict")


def clear_cookies(response: Response, visit: Visit) -> None:
    home, door = _paths(visit)
    for name, path in ((ACCESS, home), (REFRESH, door), (CSRF, home)):
        response.delete_cookie(name, path, secure=visit.secure, httponly=name != CSRF)


def _paths(visit: Visit) -> tuple[str, str]:
    """Of everything, and of where tokens are changed: as browsers have them, that is below a proxy's prefix."""
    return f"{visit.prefix}/", visit.prefix + REFRESH_PATH


def require_same_origin(request: Request, services: Services, session: str | None) -> None:
    """A request that is proved by a cookie alone must come from a page of ours.

    Browsers tell: by `Sec-Fetch-Site` to secure origins, by `Origin` to all. What tells neither shows that it can read
    our cookies: it sends `ouzel_csrf` in `X-CSRF-Token`.

    Args:
        session: of the access token; None: there is none yet, and what tells nothing is let through.
    Raises: CrossSite.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site == "same-origin"
    elif origin is not None:
        ours = origin in _origins(request, services.rules.public_url)
    elif session is not None:
        given = request.headers.get(CSRF_HEADER, "")
        ours = hmac.compare_digest(given.encode(), services.auth.tokens.csrf(session).encode())
    else:
        ours = True
    if not ours:
        raise CrossSite(
            f"this came from another site's page, or without {CSRF_HEADER}; behind a proxy, set [server] public_url"
        )


def _origins(request: Request, public_url: str) -> set[str]:
    scheme = "https" if visit_of(request).secure else "http"
    own = {f"{scheme}://{request.headers.get('host', '')}"}
    if public_url:
        parts = urlsplit(public_url)
        own.add(f"{parts.scheme}://{parts.netloc}")
    return own
