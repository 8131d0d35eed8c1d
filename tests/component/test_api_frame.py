"""What holds for every request: problems, tags, pages, keys of idempotency, limits, headers, audit."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import update
from tests.served import PASSWORD, Served, open_served

from ouzel.api.auth import CanPlay
from ouzel.api.problems import STATUSES, status_of
from ouzel.api.services import ApiRules
from ouzel.base.errors import DatabaseTooNew, OuzelError, StorageError
from ouzel.model.users import Principal, Role, User
from ouzel.services.users import NewUser
from ouzel.store.tables.users import users

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


def _user(name: str, **more: object) -> dict[str, Any]:
    return {"name": name, "password": PASSWORD, **more}


async def test_every_error_is_a_problem_document(served: Served) -> None:
    async with served.client(headers=served.local()) as client:
        told = [
            await client.get("/nothing/here"),
            await client.get("/api/users/06fk8v2xq3m1a7zt"),
            await client.get("/api/users/06FK"),
            await client.put("/api/users"),
            await client.post("/api/users", content=b"{", headers={"content-type": "application/json"}),
            await client.get("/api/users?limit=0"),
            await client.get("/api/users", headers={"authorization": ""}),
        ]
    docs = [answer.json() for answer in told]

    assert [answer.status_code for answer in told] == [404, 404, 422, 405, 422, 422, 401]
    assert [doc["code"] for doc in docs] == [
        "not_found", "not_found", "invalid", "method_not_allowed", "invalid", "invalid", "not_signed_in",
    ]  # fmt: skip
    for answer, doc in zip(told, docs, strict=True):
        assert answer.headers["content-type"] == "application/problem+json"
        assert doc["status"] == answer.status_code
        assert doc["request_id"] == answer.headers["x-request-id"]
        assert doc["type"] == f"urn:ouzel:error:{doc['code']}"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonl"])
async def test_a_body_of_another_type_is_not_read_as_json(served: Served, kind: str) -> None:
    async with served.client(headers=served.local()) as client:
        text = json.dumps(_user("ann"))
        refused = await client.post("/api/users", content=text, headers={"content-type": kind} if kind else {})
        assert (refused.status_code, refused.json()["code"]) == (415, "not_json")
        empty = await client.post("/api/users", headers={"content-type": kind} if kind else {})
        assert (empty.status_code, empty.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("body", [b'{"name": "\xff"}', b"[" * 100_000, b"\x1f\x8b"])
async def test_a_body_that_is_not_even_text_is_invalid(served: Served, body: bytes) -> None:
    async with served.client(headers=served.local()) as client:
        answer = await client.post("/api/users", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["pointer"] == ""


async def test_what_is_wrong_is_pointed_at_and_not_repeated(served: Served) -> None:
    async with served.client(headers=served.local()) as client:
        body = {"name": "", "password": "hunter2" * 100, "labels": ["ok", ""], "a/b~c": 1}
        answer = await client.post("/api/users", json=body)
        query = await client.get("/api/users?limit=many&count=roughly")

    assert {each["pointer"] for each in answer.json()["errors"]} == {"/name", "/password", "/labels/1", "/a~1b~0c"}
    assert "hunter2" not in answer.text
    assert {each["parameter"] for each in query.json()["errors"]} == {"limit", "count"}


async def test_a_bug_is_told_without_its_words(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(served.services.users, "page", broken)
    async with served.client(headers=served.local()) as client:
        answer = await client.get("/api/users")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret words" not in answer.text
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


def test_every_error_has_the_status_of_its_nearest_ancestor() -> None:
    assert status_of(OuzelError) == 500
    assert status_of(DatabaseTooNew) == STATUSES[StorageError] == 503


async def test_answers_carry_headers_that_keep_browsers_from_harm(served: Served) -> None:
    async with served.client() as client:
        for path in ("/health", "/nothing", "/api/users"):
            headers = (await client.get(path)).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cache-control"] in {"no-store", "private, no-cache"}


async def test_a_request_keeps_the_name_that_it_came_with_if_that_is_one(served: Served) -> None:
    async with served.client() as client:
        assert (await client.get("/health", headers={"x-request-id": "trace-1234"})).headers[
            "x-request-id"
        ] == "trace-1234"
        for odd in ("short", "x" * 65, 'with "quotes" and', "two words here"):
            assert (await client.get("/health", headers={"x-request-id": odd})).headers["x-request-id"] != odd


async def test_a_request_that_is_too_large_is_refused_announced_or_not(tmp_path: Path) -> None:
    read = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(10):
            read += 100
            yield b" " * 100

    async with open_served(tmp_path, ApiRules(body_bytes=500)) as served, served.client() as client:
        headers = served.local() | {"content-type": "application/json"}
        announced = await client.post("/api/users", content=pieces(), headers=headers | {"content-length": "501"})
        assert read == 0
        chunked = await client.post("/api/users", content=pieces(), headers=headers)
        fits = await client.post("/api/users", content=json.dumps(_user("ann")).ljust(500), headers=headers)

    assert [announced.status_code, chunked.status_code, fits.status_code] == [413, 413, 201]
    assert announced.json()["code"] == chunked.json()["code"] == "body_too_large"


async def test_head_is_get_without_the_body(served: Served) -> None:
    async with served.client(headers=served.local()) as client:
        for path in ("/health", "/api/users", "/nothing"):
            head, get = await client.head(path), await client.get(path)
            assert (head.status_code, head.content) == (get.status_code, b"")
            assert head.headers["content-length"] == get.headers["content-length"]
        with anyio.fail_after(10):
            assert (await client.head("/api/events")).status_code == 200


async def test_what_is_known_is_not_sent_again(served: Served) -> None:
    ann = await served.add("ann", Role.VIEWER)
    async with served.client(headers=served.local()) as client:
        for path in (f"/api/users/{ann}", "/api/users"):
            first = await client.get(path)
            tag = first.headers["etag"]
            again = await client.get(path, headers={"if-none-match": f'"x", {tag}'})
            assert tag.startswith('W/"')
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert "content-length" not in again.headers

            await client.patch(f"/api/users/{ann}", json={"language": "zh" if path.endswith(ann) else "en"})
            assert (await client.get(path, headers={"if-none-match": tag})).status_code == 200


async def test_of_two_who_edit_the_second_is_told(served: Served) -> None:
    ann = await served.add("ann", Role.VIEWER)
    async with served.client(headers=served.local()) as client:
        tag = (await client.get(f"/api/users/{ann}")).headers["etag"]
        first = await client.patch(f"/api/users/{ann}", json={"language": "zh"}, headers={"if-match": tag})
        second = await client.patch(f"/api/users/{ann}", json={"name": "bob"}, headers={"if-match": tag})
        removed = await client.delete(f"/api/users/{ann}", headers={"if-match": tag})
        strange = await client.patch(f"/api/users/{ann}", json={"name": "bob"}, headers={"if-match": '"mine"'})
        newest = await client.patch(
            f"/api/users/{ann}", json={"name": "bob"}, headers={"if-match": first.headers["etag"]}
        )
        whatever = await client.patch(f"/api/users/{ann}", json={"name": "cid"}, headers={"if-match": "*"})

    told = [first, second, removed, strange, newest, whatever]
    assert [each.status_code for each in told] == [200, 412, 412, 412, 200, 200]
    assert second.json()["code"] == "changed_since"


async def test_a_change_that_is_no_edit_stands_in_no_edits_way(served: Served) -> None:
    ann = await served.add("ann", Role.VIEWER)
    async with served.client(headers=served.local()) as client:
        tag = (await client.get(f"/api/users/{ann}")).headers["etag"]
        async with served.services.db.transaction() as tx:
            await tx.execute(update(users).where(users.c.id == ann).values(signed_in_at=served.clock.now()))

        assert (await client.get(f"/api/users/{ann}", headers={"if-none-match": tag})).status_code == 200
        edited = await client.patch(f"/api/users/{ann}", json={"language": "en"}, headers={"if-match": tag})
        assert edited.status_code == 200


async def test_a_merge_patch_changes_what_it_names(served: Served) -> None:
    ann = await served.add("ann", Role.EDITOR, "news")
    async with served.client(headers=served.local()) as client:

        async def patch(body: object) -> dict[str, Any]:
            headers = {"content-type": "application/merge-patch+json"}
            answer = await client.patch(f"/api/users/{ann}", content=json.dumps(body), headers=headers)
            return answer.json()

        assert (await patch({"language": "zh"}))["language"] == "zh"
        kept = await patch({})
        assert (kept["name"], kept["role"], kept["labels"], kept["language"]) == ("ann", "editor", ["news"], "zh")
        assert (await patch({"language": None}))["language"] is None
        assert (await patch({"name": None}))["code"] == "invalid"
        assert (await patch({"nmae": "bob"}))["code"] == "invalid"


async def test_pages_follow_each_other_without_holes(served: Served) -> None:
    for number in range(6):
        served.clock.advance(1)
        await served.add(f"u{number}", Role.VIEWER)
    async with served.client(headers=served.local()) as client:
        names: list[str] = []
        cursor, pages = "", 0
        while pages < 10:
            page = (await client.get(f"/api/users?limit=3&count=exact{cursor}")).json()
            names += [each["name"] for each in page["items"]]
            pages += 1
            assert page["total"] == 7
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"

    assert names == ["root", *(f"u{number}" for number in range(6))]
    assert pages == 3


async def test_a_cursor_is_good_for_its_list_alone(served: Served) -> None:
    await served.add("ann", Role.VIEWER)
    async with served.client(headers=served.local()) as client:
        cursor = (await client.get("/api/users?limit=1")).json()["next_cursor"]
        for path in (
            f"/api/keys?cursor={cursor}", f"/api/users?x=1&cursor={cursor}", f"/api/users?cursor={cursor[:-2]}",
            "/api/users?cursor=abc", "/api/users?cursor=é", "/api/users?cursor=", "/api/users?cursor=W10=",
        ):  # fmt: skip
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), path
        assert (await client.get(f"/api/users?count=exact&limit=2&cursor={cursor}")).status_code == 200


async def test_a_creation_with_a_key_is_made_once(served: Served) -> None:
    async with served.client(headers=served.local()) as client, served.signed_in("root") as other:
        keyed = {"idempotency-key": "one"}
        first = await client.post("/api/users", json=_user("ann"), headers=keyed)
        again = await client.post("/api/users", json=_user("ann"), headers=keyed)
        reused = await client.post("/api/users", json=_user("bob"), headers=keyed)
        others = await other.post("/api/users", json=_user("cid"), headers=keyed)
        served.clock.advance(60)
        late = await client.post("/api/users", json=_user("ann"), headers=keyed | served.local())

        assert [each.status_code for each in (first, again, reused, others, late)] == [201, 201, 422, 201, 201]
        assert (again.text, again.headers["location"]) == (first.text, first.headers["location"])
        assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
        assert reused.json()["code"] == "key_reused"
        assert (await client.get("/api/users?count=exact", headers=served.local())).json()["total"] == 3
        served.clock.advance(24 * 3600)
        after = await client.post("/api/users", json=_user("ann"), headers=keyed | served.local())
        assert after.json()["code"] == "conflict", "by then it is another request"


async def test_while_the_first_is_at_work_a_second_waits_for_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = anyio.Event(), anyio.Event()
    add = served.services.users.add

    async def slowly(by: Principal, new: NewUser) -> User:
        begun.set()
        await go_on.wait()
        return await add(by, new)

    monkeypatch.setattr(served.services.users, "add", slowly)
    async with served.client(headers=served.local()) as client:
        ask = partial(client.post, "/api/users", json=_user("ann"), headers={"idempotency-key": "one"})
        answers: list[int] = []

        async def first() -> None:
            answers.append((await ask()).status_code)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first)
            await begun.wait()
            second = await ask()
            go_on.set()
        third = await ask()
    assert (second.status_code, second.json()["code"]) == (409, "conflict")
    assert (answers, third.status_code, third.headers["idempotency-replayed"]) == ([201], 201, "true")


async def test_what_failed_may_be_tried_again_with_the_same_key(served: Served) -> None:
    async with served.client(headers=served.local()) as client:
        keyed = {"idempotency-key": "one"}
        failed = await client.post("/api/users", json=_user("root"), headers=keyed)
        assert failed.status_code == 409
        assert (await client.post("/api/users", json=_user("ann"), headers=keyed)).status_code == 201


async def test_a_second_request_while_the_first_is_at_work_is_told_so(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, go_on = anyio.Event(), anyio.Event()
    add = served.services.users.add

    async def slow(*args: Any) -> object:
        at_work.set()
        await go_on.wait()
        return await add(*args)

    monkeypatch.setattr(served.services.users, "add", slow)
    told: list[int] = []
    async with served.client(headers=served.local()) as client:

        async def ask() -> None:
            answer = await client.post("/api/users", json=_user("ann"), headers={"idempotency-key": "one"})
            told.append(answer.status_code)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await at_work.wait()
            await ask()
            go_on.set()
    assert told == [409, 201]


async def test_every_change_leaves_a_line_with_who_and_from_where(served: Served) -> None:
    async with served.signed_in("root") as client:
        made = (await client.post("/api/users", json=_user("ann"))).json()
        await client.patch(f"/api/users/{made['id']}", json={"role": "admin"}, headers={"x-request-id": "trace-1234"})
        await client.post("/api/users", json=_user("ann"))
        await client.post("/api/auth/login", json={"name": "root", "password": "wrong"})
        lines = (await client.get("/api/audit")).json()["items"]
        some = (await client.get(f"/api/audit?subject={made['id']}&what=change&count=exact")).json()

    assert [(line["what"], line["outcome"]) for line in lines] == [
        ("auth.login", "bad_login"), ("add_user", "conflict"), ("change_user", "ok"), ("add_user", "ok"),
        ("auth.login", "ok"),
    ]  # fmt: skip
    assert {line["address"] for line in lines} == {"192.0.2.7"}
    assert [line["subject"] for line in lines[2:4]] == [made["id"]] * 2
    assert lines[2]["request_id"] == "trace-1234"
    assert (lines[0]["by"], lines[0]["name"], lines[1]["name"]) == ("", "root", "root")
    assert (some["total"], [line["what"] for line in some["items"]]) == (1, ["change_user"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:192.0.2.7", "203.0.113.9", "192.0.2.7"),
        ("", "203.0.113.9", "203.0.113.9"),
    ],
)
async def test_only_trusted_proxies_say_who_the_client_is(
    tmp_path: Path, peer: str, forwarded: str, address: str
) -> None:
    rules = ApiRules(trusted_proxies=(ip_network("10.0.0.0/8"),))
    async with open_served(tmp_path, rules) as served, served.client(peer) as client:
        body = {"name": "root", "password": "wrong"}
        await client.post("/api/auth/login", json=body, headers={"x-forwarded-for": forwarded})
        lines = (await client.get("/api/audit", headers=served.local())).json()["items"]

    assert [line["address"] for line in lines] == [address]


def _somewhere(path: str) -> str:
    """With something in its holes that could be there."""
    path = path.replace("{scope}", "global").replace("{platform}", "huya").replace("{number}", "1")
    return re.sub(r"\{\w+\}", "0" * 16, path)


async def test_nothing_but_health_is_open(served: Served) -> None:
    async with served.client() as client:
        for route in served.app.openapi()["paths"].items():
            path, methods = route
            for method in methods:
                if path.startswith(("/health", "/api/auth/setup", "/api/auth/login", "/api/auth/refresh")):
                    continue
                answer = await client.request(method, _somewhere(path))
                assert answer.status_code == 401, (method, path)
        assert (await client.get("/api/openapi.json")).status_code == 401


async def test_viewers_and_editors_see_nothing_of_accounts(served: Served) -> None:
    await served.add("ann", Role.VIEWER)
    await served.add("bob", Role.EDITOR)
    for name in ("ann", "bob"):
        async with served.signed_in(name) as client:
            for path in ("/api/users", "/api/audit", "/api/users/" + "0" * 16):
                assert (await client.get(path)).status_code == 403


async def test_somebody_is_always_left_to_administrate(served: Served) -> None:
    async with served.signed_in("root") as client:
        root = (await client.get("/api/auth/me")).json()["user"]["id"]
        told = [
            await client.patch(f"/api/users/{root}", json={"role": "editor"}),
            await client.patch(f"/api/users/{root}", json={"disabled": True}),
            await client.delete(f"/api/users/{root}"),
        ]
        assert [each.status_code for each in told] == [409] * 3
        await served.add("ann", Role.ADMIN)
        assert (await client.delete(f"/api/users/{root}")).status_code == 204
        assert (await client.get("/api/auth/me")).status_code == 401


async def test_names_are_taken_whatever_their_letters(served: Served) -> None:
    async with served.client(headers=served.local()) as client:
        for name in ("ROOT", " root ", "ｒｏｏｔ"):
            assert (await client.post("/api/users", json=_user(name))).json()["code"] == "conflict"
        for name in ("a\x00b", "\u200b", " "):
            assert (await client.post("/api/users", json=_user(name))).json()["code"] == "invalid"


async def test_health_tells_what_does_not_work_and_no_more(served: Served) -> None:
    async def fails() -> bool:
        raise StorageError("the disk /mnt/secret is gone")

    async with served.client() as client:
        well = (await client.get("/health")).json()
        served.services.health.add("storage", fails)
        ill = await client.get("/health")

    assert (well["status"], well["degraded"]) == ("healthy", [])
    assert (ill.json()["status"], ill.json()["degraded"]) == ("degraded", ["storage"])
    assert "secret" not in ill.text


async def test_metrics_are_for_who_may_see_everything_unless_they_are_open(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served, served.client() as client:
        await served.add("ann", Role.VIEWER)
        await served.add("bob", Role.VIEWER, "news")
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers=await served.bearer("bob"))).status_code == 403
        page = await client.get("/metrics", headers=await served.bearer("ann"))
        assert 'ouzel_http_requests_total{operation="log_in",status="200"} 2.0' in page.text
        assert "ouzel_build_info" in page.text
    (tmp_path / "open").mkdir()
    async with open_served(tmp_path / "open", ApiRules(metrics_open=True)) as served, served.client() as client:
        assert (await client.get("/metrics")).status_code == 200


async def test_a_signed_address_opens_what_it_names_for_who_it_was_signed_for(served: Served) -> None:
    async def play(who: CanPlay) -> dict[str, object]:
        return {"who": who.user_id, "writes": who.may_give_access()}

    served.app.add_api_route("/media/{name}", play)
    ann = await served.add("ann", Role.ADMIN)
    until = served.clock.now() + timedelta(minutes=1)
    query = served.services.secrets.signer.sign("/media/a.ts", ann, until)
    async with served.client() as client:
        assert (await client.get(f"/media/a.ts?{query}")).json() == {"who": ann, "writes": False}
        assert (await client.get("/media/a.ts", headers=served.local())).status_code == 200
        assert (await client.get("/media/a.ts")).status_code == 401
        assert (await client.get(f"/media/b.ts?{query}")).status_code == 403
        await client.patch(f"/api/users/{ann}", json={"role": "viewer", "disabled": True}, headers=served.local())
        assert (await client.get(f"/media/a.ts?{query}")).status_code == 401
