"""What accounts, keys and labels allow, and which passwords will not do."""

from __future__ import annotations

import pytest

from ouzel.model.users import Principal, Role, Scope, Via, name_key, weakness

READ, WRITE, ADMIN = Scope


@pytest.mark.parametrize(
    ("role", "scopes", "allowed"),
    [
        (Role.VIEWER, set(Scope), {READ}),
        (Role.EDITOR, set(Scope), {READ, WRITE}),
        (Role.ADMIN, set(Scope), {READ, WRITE, ADMIN}),
        (Role.ADMIN, {READ}, {READ}),
        (Role.ADMIN, {WRITE}, {READ, WRITE}),
        (Role.VIEWER, {ADMIN}, {READ}),
        (Role.EDITOR, {READ}, {READ}),
        (Role.ADMIN, set(), set()),
    ],
)
def test_what_one_may_is_what_both_role_and_scopes_allow(role: Role, scopes: set[Scope], allowed: set[Scope]) -> None:
    who = Principal("u", role, scopes=frozenset(scopes), via=Via.KEY)

    assert {each for each in Scope if who.may(each)} == allowed


@pytest.mark.parametrize(
    ("role", "labels", "key_labels", "channel", "seen"),
    [
        (Role.VIEWER, "", "", "", True),
        (Role.VIEWER, "", "", "a", True),
        (Role.VIEWER, "a", "", "", False),
        (Role.VIEWER, "a", "", "a", True),
        (Role.EDITOR, "ab", "", "bc", True),
        (Role.EDITOR, "ab", "", "c", False),
        (Role.EDITOR, "ab", "c", "ac", True),
        (Role.EDITOR, "ab", "c", "a", False),
        (Role.EDITOR, "ab", "c", "c", False),
        (Role.VIEWER, "", "c", "c", True),
        (Role.ADMIN, "a", "", "z", True),
        (Role.ADMIN, "a", "c", "z", False),
    ],
)
def test_who_has_grants_sees_channels_with_one_of_each(
    role: Role, labels: str, key_labels: str, channel: str, seen: bool
) -> None:
    who = Principal("u", role, frozenset(labels), key_labels=frozenset(key_labels))

    assert who.sees(set(channel)) is seen


@pytest.mark.parametrize(
    ("who", "code", "subject", "labels", "heard"),
    [
        (Principal("u", Role.VIEWER), "channel.live", "c", set(), True),
        (Principal("u", Role.VIEWER), "layer.changed", "global", None, True),
        (Principal("u", Role.VIEWER), "user.changed", "v", None, False),
        (Principal("u", Role.VIEWER), "user.changed", "u", None, True),
        (Principal("u", Role.ADMIN), "user.changed", "v", None, True),
        (Principal("u", Role.ADMIN, scopes=frozenset({READ})), "user.changed", "v", None, False),
        (Principal("u", Role.VIEWER, frozenset("a")), "recording.began", "r", {"a"}, True),
        (Principal("u", Role.VIEWER, frozenset("a")), "recording.began", "r", {"b"}, False),
        (Principal("u", Role.VIEWER, frozenset("a")), "layer.changed", "global", None, False),
        (Principal("u", Role.VIEWER, frozenset("a")), "job.changed", "j", None, False),
        (Principal("u", Role.VIEWER, frozenset("a")), "daemon.stopping", "", None, True),
    ],
)
def test_an_event_is_for_who_sees_what_it_tells(
    who: Principal, code: str, subject: str, labels: set[str] | None, heard: bool
) -> None:
    assert who.hears(code, subject, labels) is heard


def test_only_people_give_access() -> None:
    allowed = {via for via in Via if Principal("u", Role.ADMIN, via=via).may_give_access()}

    assert allowed == {Via.COOKIE, Via.BEARER, Via.LOCAL}


@pytest.mark.parametrize(
    ("password", "name", "why"),
    [
        ("elevenchars", "ann", "11 characters"),
        ("twelve chars", "ann", None),
        ("四字成語馬馬虎虎亂七八糟", "ann", None),
        ("aaaaaaaaaaaaaaaa", "ann", "different"),
        ("abababababababab", "ann", "different"),
        ("ann-ann-ann?!", "ann", "name"),
        ("Margarethe2026", "margarethe", "name"),
        ("ＭＡＲＧＡＲＥＴＨＥ2026", "margarethe", "name"),
        ("margarethe walks by the sea", "margarethe", None),
        ("password1234", "ann", "tried first"),
        ("Passw0rd!2026", "ann", "tried first"),
        ("qwertyuiop123", "ann", "tried first"),
        ("password of the old mill", "ann", None),
        ("x1y2" * 65, "ann", "256"),
    ],
)
def test_passwords_that_are_guessed_are_refused(password: str, name: str, why: str | None) -> None:
    told = weakness(password, name, at_least=12)

    assert (told is None) if why is None else (told is not None and why in told)


def test_names_that_look_the_same_are_one() -> None:
    assert name_key("Ａnn") == name_key("ANN") == name_key("ann")
    assert name_key("straße") == name_key("STRASSE")
