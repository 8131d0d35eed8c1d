"""The API keeps its own description, whatever it is asked: by an administrator, by who may only look, and by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from schemathesis import Case, SerializationContext
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from tests.served import Served, listening_server, open_served

from ouzel.model.users import Principal, Role, Scope
from ouzel.services.auth import AuthRules
from ouzel.services.users import NewKey

DESCRIPTION = str(Path(__file__).parents[1] / "golden" / "openapi.json")
_REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "428", "429", "460", "5xx"]
"""With those of tus: 412 is another version of it, 460 another checksum."""
_CHECKS = {"checks": {"negative_data_rejection": {"expected-statuses": _REFUSALS}}}


@schemathesis.serializer("application/offset+octet-stream")
def _as_bytes(_ctx: SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


thorough = schemathesis.openapi.from_path(DESCRIPTION, config=SchemathesisConfig.from_dict(_CHECKS))
quick = schemathesis.openapi.from_path(
    DESCRIPTION, config=SchemathesisConfig.from_dict({**_CHECKS, "phases": {"coverage": {"enabled": False}}})
)
"""Without a request for each way in which each field can be wrong."""
_NOT_CHECKED = [
    CHECKS.get_one("ignored_auth"),  # it would have to take away the headers that are given below
    CHECKS.get_one("positive_data_acceptance"),  # a cursor may be of another list, a password too weak
]


@dataclass(frozen=True)
class Server:
    address: str
    headers: dict[str, dict[str, str]]
    """By who asks."""


async def _key(served: Served) -> str:
    """Of a viewer: a session would be ended by what is tried."""
    who = Principal(await served.add("viewer", Role.VIEWER), Role.VIEWER)
    return (await served.services.users.add_key(who, NewKey("key", frozenset({Scope.READ}))))[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Over HTTP. Its clock stands still, so that no token expires; its event streams end at once."""
    opened = open_served(tmp_path_factory.mktemp("api"), auth_rules=AuthRules(attempts=1_000_000))
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(opened) as served:
        viewer = {"authorization": f"Bearer {portal.call(_key, served)}"}
        served.services.events.close()
        with portal.wrap_async_context_manager(listening_server(served.app)) as address:
            yield Server(address, {"admin": served.local(), "viewer": viewer, "nobody": {}})


_HOW = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@thorough.parametrize()
@settings(_HOW, max_examples=10)
def test_what_it_answers_is_what_it_says(case: Case, server: Server) -> None:
    case.call_and_validate(base_url=server.address, headers=server.headers["admin"], excluded_checks=_NOT_CHECKED)


@quick.parametrize()
@pytest.mark.parametrize("who", ["viewer", "nobody"])
@settings(_HOW, max_examples=3)
def test_so_it_is_for_who_may_not(case: Case, who: str, server: Server) -> None:
    case.call_and_validate(base_url=server.address, headers=server.headers[who], excluded_checks=_NOT_CHECKED)
