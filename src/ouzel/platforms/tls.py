"""The authorities that are trusted, read once: reading them takes 20 ms, and `requests` does it for each connection anew."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from ouzel.system.http.tunnels import basic

if TYPE_CHECKING:
    from requests import PreparedRequest


def ca_file() -> str | None:
    """The authorities that are trusted in the usual ones' place."""
    return os.environ.get("SSL_CERT_FILE") or None


def context(*, verify: bool) -> ssl.SSLContext:
    """For any number of threads: nobody may change it."""
    return _context(ca_file() or DEFAULT_CA_BUNDLE_PATH) if verify else _context(None)


class Transport(HTTPAdapter):
    """How `requests` connects, with a context of ours; what a session says of certificates does not count."""

    def __init__(self, *, verify: bool) -> None:
        self._context = context(verify=verify)
        super().__init__()

    def init_poolmanager(self, *args: Any, **given: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **given)

    def proxy_manager_for(self, proxy: str, **given: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **given)

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """The name and the password in whatever letters they are; the session's own way knows those of Latin-1."""
        parts = urlsplit(proxy)
        if not parts.username:
            return {}
        return {"Proxy-Authorization": basic(unquote(parts.username), unquote(parts.password or ""))}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: the context does."""

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return super().build_connection_pool_key_attributes(request, verify, cert)[0], {}


@lru_cache(maxsize=8)
def _context(cafile: str | None) -> ssl.SSLContext:
    made = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if cafile else ssl.CERT_NONE)
    if cafile:
        made.load_verify_locations(cafile)
    return made
