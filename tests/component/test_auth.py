"""Signing in, staying so, and being put out: over the API in process, and a real database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from ipaddress import ip_network
from pathlib import Path

import anyio
import pytest
from sqlalchemy import select
from tests.served import PASSWORD, Served, open_served

from ouzel.api.services import ApiRules
from ouzel.model.users import Role, Scope
from ouzel.services.auth import AuthRules
from ouzel.services.passwords import Passwords
from ouzel.store.tables.users import api_keys, idempotency, sessions, setup_links, users

pytestmark = pytest.mark.anyio
CROSS = {"origin": "https://evil.example"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


async def test_the_first_account_is_made_with_the_link_and_only_once(tmp_path: Path) -> None:
    async with open_served(tmp_path, empty=True) as served, served.client() as client:
        void = await served.services.auth.setup_token()
        token = await served.services.auth.setup_token()
        body = {"token": token, "name": "root", "password": PASSWORD}

        assert (await client.post("/api/auth/setup", json=body | {"token": void})).status_code == 403
        assert (await client.post("/api/auth/setup", json=body | {"password": "short"})).json()[
            "code"
        ] == "weak_password"
        assert (await client.post("/api/auth/setup", json=body)).status_code == 201
        assert (await client.get("/api/auth/me")).json()["role"] == "admin"
        assert (await client.post("/api/auth/setup", json=body)).status_code == 403
        assert await served.services.auth.setup_token() is None
        audit = (await client.get("/api/audit?what=auth.setup")).json()["items"]
        assert [each["outcome"] for each in audit] == ["not_allowed", "ok", "not_allowed"]


async def test_of_two_who_use_the_link_at_once_one_is_made(tmp_path: Path) -> None:
    async with open_served(tmp_path, empty=True) as served, served.client() as client:
        token = await served.services.auth.setup_token()
        told: list[int] = []

        async def use(name: str) -> None:
            body = {"token": token, "name": name, "password": PASSWORD}
            told.append((await client.post("/api/auth/setup", json=body)).status_code)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(use, "ann")
            tasks.start_soon(use, "bob")

        assert sorted(told) == [201, 403]


async def test_nothing_that_opens_anything_is_stored(tmp_path: Path) -> None:
    async with open_served(tmp_path, empty=True) as served, served.client() as client:
        token = await served.services.auth.setup_token() or ""
        stored = repr(await served.services.db.read(select(setup_links)))
        await client.post("/api/auth/setup", json={"token": token, "name": "root", "password": PASSWORD})
        made = await client.post("/api/keys", json={"name": "k"}, headers={"idempotency-key": "1"})
        secrets = [token, PASSWORD, made.json()["key"], client.cookies["ouzel_access"], client.cookies["ouzel_refresh"]]
        for table in (users, sessions, api_keys, idempotency):
            stored += repr(await served.services.db.read(select(table)))

        assert [secret for secret in secrets if secret in stored] == []


async def test_a_browser_gets_cookies_that_scripts_and_other_sites_do_not(served: Served) -> None:
    async with served.client() as client:
        answer = await client.post("/api/auth/login", json={"name": "ROOT", "password": PASSWORD})

    cookies = {each.partition("=")[0]: each.lower() for each in answer.headers.get_list("set-cookie")}
    assert all(part in cookies["ouzel_access"] for part in ("httponly", "samesite=lax", "path=/", "max-age=900"))
    assert all(part in cookies["ouzel_refresh"] for part in ("httponly", "samesite=strict", "path=/api/auth;"))
    assert "httponly" not in cookies["ouzel_csrf"]
    assert "secure" not in cookies["ouzel_access"]
    assert answer.json()["access_token"] is None


@pytest.mark.parametrize(
    ("rules", "headers"),
    [
        (ApiRules(public_url="https://ouzel.example"), {}),
        (ApiRules(trusted_proxies=(ip_network("192.0.2.0/24"),)), {"x-forwarded-proto": "https"}),
    ],
)
async def test_over_tls_cookies_are_secure(tmp_path: Path, rules: ApiRules, headers: dict[str, str]) -> None:
    async with open_served(tmp_path, rules) as served, served.client() as client:
        body = {"name": "root", "password": PASSWORD}
        answer = await client.post("/api/auth/login", json=body, headers={**headers, "sec-fetch-site": "same-origin"})

    assert all("secure" in each.lower() for each in answer.headers.get_list("set-cookie"))
    assert len(answer.headers.get_list("set-cookie")) == 3


async def test_wrong_unknown_and_disabled_are_told_alike(served: Served) -> None:
    ann = await served.add("ann", Role.VIEWER)
    async with served.client() as client:
        await client.patch(f"/api/users/{ann}", json={"disabled": True}, headers=served.local())
        told = [
            (await client.post("/api/auth/login", json={"name": name, "password": password})).json()
            | {"request_id": ""}
            for name, password in [("root", "wrong"), ("nobody", PASSWORD), ("ann", PASSWORD)]
        ]

    assert told[0] == told[1] == told[2]
    assert told[0]["code"] == "bad_login"


async def test_for_a_name_that_is_unknown_a_password_is_hashed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(cheap=True)
    stored = await passwords.hash(PASSWORD)
    asked: list[str] = []
    matches = passwords._matches
    monkeypatch.setattr(passwords, "_matches", lambda known, given: asked.append(known) or matches(known, given))

    assert await passwords.verify(stored, PASSWORD)
    assert not await passwords.verify(stored, "wrong")
    assert not await passwords.verify(None, PASSWORD)

    assert len(asked) == 3
    assert all(each.startswith("$argon2id$") for each in asked)


async def test_guessing_is_slowed_by_address_and_by_name(tmp_path: Path) -> None:
    async with open_served(tmp_path, auth_rules=AuthRules(attempts=3, attempts_window_s=60)) as served:

        async def guess(address: str, name: str = "root", password: str = "wrong") -> int:
            async with served.client(address) as client:
                answer = await client.post("/api/auth/login", json={"name": name, "password": password})
                assert ("retry-after" in answer.headers) is (answer.status_code == 429)
                return answer.status_code

        assert [await guess("192.0.2.1", f"u{number}") for number in range(4)] == [401, 401, 401, 429]
        assert [await guess(f"192.0.2.{number}") for number in range(2, 9)] == [401] * 6 + [429]
        assert await guess("192.0.2.20", password=PASSWORD) == 429
        served.clock.advance(60)
        assert await guess("192.0.2.1", password=PASSWORD) == 200


async def test_a_refresh_token_is_good_once_and_used_twice_ends_the_session(served: Served) -> None:
    async with served.signed_in("root") as client:
        stolen = client.cookies["ouzel_refresh"]
        assert (await client.post("/api/auth/refresh")).status_code == 200
        assert client.cookies["ouzel_refresh"] != stolen
        assert (await client.get("/api/auth/me")).status_code == 200

        async with served.client() as thief:
            told = await thief.post("/api/auth/refresh", json={"refresh_token": stolen})
        assert (told.status_code, told.json()["code"]) == (401, "not_signed_in")
        assert (await client.get("/api/auth/me")).status_code == 401, "the access token of the session is of no use"
        assert (await client.post("/api/auth/refresh")).status_code == 401
        lines = (await client.get("/api/audit?what=auth.refresh", headers=served.local())).json()["items"]
        assert [line["outcome"] for line in lines] == ["reused"]


async def test_of_two_who_refresh_at_once_one_is_a_thief(served: Served) -> None:
    async with served.client() as client:
        body = {"name": "root", "password": PASSWORD, "tokens": "body"}
        token = (await client.post("/api/auth/login", json=body)).json()["refresh_token"]
        told: list[int] = []

        async def use() -> None:
            told.append((await client.post("/api/auth/refresh", json={"refresh_token": token})).status_code)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(use)
            tasks.start_soon(use)
    assert sorted(told) == [200, 401]


async def test_tokens_expire(served: Served) -> None:
    headers = await served.bearer("root")
    async with served.signed_in("root") as client, served.client() as program:
        served.clock.advance(899)
        assert (await program.get("/api/auth/me", headers=headers)).status_code == 200
        served.clock.advance(1)
        assert (await program.get("/api/auth/me", headers=headers)).status_code == 401
        assert (await client.post("/api/auth/refresh")).status_code == 200
        served.clock.advance(31 * 86400)
        assert (await client.post("/api/auth/refresh")).status_code == 401


async def test_who_signs_out_is_out_on_the_server_too(served: Served) -> None:
    async with served.signed_in("root") as client, served.client() as thief:
        thief.cookies = client.cookies
        kept = dict(client.cookies)
        assert (await client.get("/api/auth/me")).status_code == 200
        assert (await client.post("/api/auth/logout")).status_code == 204
        assert dict(client.cookies) == {}
        for name, value in kept.items():
            thief.cookies.set(name, value)
        assert (await thief.get("/api/auth/me")).status_code == 401
        assert (await thief.post("/api/auth/refresh")).status_code == 401


async def test_a_new_password_ends_the_other_sessions(served: Served) -> None:
    async with served.signed_in("root") as here, served.signed_in("root") as there:
        for client in (here, there):
            assert (await client.get("/api/auth/me")).status_code == 200
        wrong = await here.post("/api/auth/password", json={"old": "wrong", "new": "another bird altogether"})
        weak = await here.post("/api/auth/password", json={"old": PASSWORD, "new": "root"})
        done = await here.post("/api/auth/password", json={"old": PASSWORD, "new": "another bird altogether"})

        assert [wrong.status_code, weak.status_code, done.status_code] == [401, 422, 204]
        assert (await here.get("/api/auth/me")).status_code == 200
        assert (await there.get("/api/auth/me")).status_code == 401
        old = await there.post("/api/auth/login", json={"name": "root", "password": PASSWORD})
        assert old.status_code == 401


async def test_a_disabled_account_is_out_at_once_with_its_keys(served: Served) -> None:
    ann = await served.add("ann", Role.EDITOR)
    async with served.signed_in("ann") as client, served.client() as program:
        key = (await client.post("/api/keys", json={"name": "k", "scopes": ["write"]})).json()["key"]
        headers = {"authorization": f"Bearer {key}"}
        assert (await program.get("/api/auth/me", headers=headers)).json()["scopes"] == ["read", "write"]

        await program.patch(f"/api/users/{ann}", json={"role": "viewer"}, headers=served.local())
        assert (await client.get("/api/auth/me")).json()["role"] == "viewer"
        assert (await program.get("/api/auth/me", headers=headers)).json()["scopes"] == ["read"]

        await program.patch(f"/api/users/{ann}", json={"disabled": True}, headers=served.local())
        assert (await client.get("/api/auth/me")).status_code == 401
        assert (await client.post("/api/auth/refresh")).status_code == 401
        assert (await program.get("/api/auth/me", headers=headers)).status_code == 401


async def test_what_another_process_writes_counts_within_seconds(served: Served) -> None:
    ann = await served.add("ann", Role.EDITOR)
    async with served.signed_in("ann") as client:
        assert (await client.get("/api/auth/me")).status_code == 200
        async with served.services.db.transaction() as tx:  # no event
            await tx.execute(users.update().where(users.c.id == ann).values(disabled=True))
        served.clock.advance(5)
        assert (await client.get("/api/auth/me")).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://ouzel.test"}, 201),
        ({"origin": "http://ouzel.test", "sec-fetch-site": "same-origin"}, 201),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://ouzel.test:81"}, 403),
        ({"origin": "http://ouzel.test", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://ouzel.test", "sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://ouzel.test", "sec-fetch-site": "none"}, 403),
        ({}, 403),
        ({"x-csrf-token": "TOKEN"}, 201),
        ({"x-csrf-token": "wrong"}, 403),
    ],
)
async def test_a_page_of_another_site_cannot_ask_with_our_cookies(
    served: Served, headers: dict[str, str], status: int
) -> None:
    async with served.signed_in("root") as client:
        del client.headers["origin"]
        headers = {name: value.replace("TOKEN", client.cookies["ouzel_csrf"]) for name, value in headers.items()}

        answer = await client.post("/api/keys", json={"name": "k"}, headers=headers)

        assert answer.status_code == status, answer.text
        assert (await client.get("/api/keys", headers=CROSS)).status_code == 200, "reading is not writing"


async def test_nobody_is_signed_in_by_another_sites_page(served: Served) -> None:
    async with served.client() as client:
        body = {"name": "root", "password": PASSWORD}
        assert (await client.post("/api/auth/login", json=body, headers=CROSS)).status_code == 403
        form = await client.post("/api/auth/login", content=b'{"name":"root"}', headers={"content-type": "text/plain"})
        assert form.status_code == 415


async def test_a_token_in_a_header_needs_no_proof_of_origin(served: Served) -> None:
    headers = await served.bearer("root")
    async with served.client() as client:
        del client.headers["origin"]
        assert (await client.post("/api/keys", json={"name": "k"}, headers=headers | CROSS)).status_code == 201


async def test_a_key_does_what_its_scopes_say_and_gives_no_access(served: Served) -> None:
    ann = await served.add("ann", Role.EDITOR)
    async with served.signed_in("root") as root, served.client() as program:
        made = (await root.post("/api/keys", json={"name": "robot", "scopes": ["admin"]})).json()
        headers = {"authorization": f"Bearer {made['key']}"}
        user = {"name": "mallory", "password": PASSWORD, "role": "admin"}

        assert made["key"].startswith(made["prefix"])
        assert (await program.get("/api/users", headers=headers)).status_code == 200
        refused = [
            await program.post("/api/keys", json={"name": "k"}, headers=headers),
            await program.post("/api/users", json=user, headers=headers),
            await program.patch(f"/api/users/{ann}", json={"password": PASSWORD}, headers=headers),
            await program.patch(f"/api/users/{ann}", json={"role": "admin"}, headers=headers),
            await program.post("/api/auth/password", json={"old": PASSWORD, "new": PASSWORD}, headers=headers),
            await program.delete(f"/api/users/{ann}", headers=headers),
        ]
        assert [each.status_code for each in refused] == [403] * 6
        disabled = await program.patch(f"/api/users/{ann}", json={"disabled": True}, headers=headers)
        assert disabled.status_code == 200, "an alarm may shut an account"
        listed = (await root.get("/api/keys")).json()["items"]
        assert [each["used_at"] is not None for each in listed] == [True]
        assert "key" not in listed[0]
        assert (await program.delete(f"/api/keys/{made['id']}", headers=headers)).status_code == 204
        assert (await program.get("/api/users", headers=headers)).status_code == 401


async def test_a_key_is_no_more_than_its_account_and_expires(served: Served) -> None:
    await served.add("ann", Role.VIEWER)
    async with served.signed_in("ann") as ann, served.signed_in("root") as root:
        assert (await ann.post("/api/keys", json={"name": "k", "scopes": ["write"]})).status_code == 403
        assert (await ann.get("/api/keys?of=all")).status_code == 403
        until = "2026-01-01T00:10:00Z"
        made = (await ann.post("/api/keys", json={"name": "k", "expires_at": until, "labels": ["a"]})).json()
        headers = {"authorization": f"Bearer {made['key']}"}
        async with served.client() as program:
            assert (await program.get("/api/auth/me", headers=headers)).json()["labels"] == [["a"]]
            served.clock.advance(600)
            assert (await program.get("/api/auth/me", headers=headers)).status_code == 401
            assert (await ann.post("/api/keys", json={"name": "k", "expires_at": until})).status_code == 422
        strange = await root.post("/api/keys", json={"name": "k", "scopes": ["admin"], "labels": ["a"]})
        assert strange.status_code == 422
        assert (await root.delete(f"/api/keys/{made['id']}")).status_code == 204


async def test_another_ones_key_is_not_there(served: Served) -> None:
    await served.add("ann", Role.EDITOR)
    async with served.signed_in("ann") as ann, served.signed_in("root") as root:
        key = (await root.post("/api/keys", json={"name": "k"})).json()["id"]
        assert (await ann.delete(f"/api/keys/{key}")).status_code == 404
        assert (await ann.get("/api/keys")).json()["items"] == []
        assert len((await root.get("/api/keys?of=all")).json()["items"]) == 1


async def test_tokens_of_others_are_none(served: Served, tmp_path: Path) -> None:
    import jwt

    doc = {"sub": "local", "aud": "local", "exp": 4_000_000_000}
    forged = [
        jwt.encode(doc, "x" * 32, algorithm="HS256"),
        jwt.encode(doc, "", algorithm="none"),
        jwt.encode({**doc, "aud": "other"}, served.services.secrets.key("jwt"), algorithm="HS256"),
        jwt.encode({"sub": "local", "aud": "local"}, served.services.secrets.key("jwt"), algorithm="HS256"),
        "ouzel_" + "x" * 43,
        "",
        "a.b.c",
    ]
    async with served.client() as client:
        for token in forged:
            answer = await client.get("/api/auth/me", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == 401, token
        basic = await client.get("/api/auth/me", headers={"authorization": "Basic cm9vdDpyb290"})
        assert (basic.status_code, basic.headers["www-authenticate"]) == (401, "Bearer")


async def test_who_can_read_the_key_of_the_folder_is_an_administrator_for_a_minute(served: Served) -> None:
    headers = served.local()
    async with served.client() as client:
        me = (await client.get("/api/auth/me", headers=headers)).json()
        assert (me["user"], me["via"], me["role"]) == (None, "local", "admin")
        assert (await client.post("/api/keys", json={"name": "k"}, headers=headers)).status_code == 403
        served.clock.advance(60)
        assert (await client.get("/api/auth/me", headers=headers)).status_code == 401


async def test_scopes_include_those_below() -> None:
    assert list(Scope) == ["read", "write", "admin"]
