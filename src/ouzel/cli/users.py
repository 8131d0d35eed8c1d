"""`ouzel users`."""

from __future__ import annotations

import sys
from typing import Any

import click

from ouzel.base.errors import BadOption
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, given_of, local_time, show
from ouzel.cli.main import EXIT_OK
from ouzel.cli.output import Output
from ouzel.cli.texts import tr

_ROLES = click.Choice(["viewer", "editor", "admin"])
_SCOPES = click.Choice(["read", "write", "admin"])


@click.group(cls=Noun)
def users() -> None:
    """Accounts of a running daemon, and their API keys."""


@users.command("list")
@talking
def list_(output: Output, api: Api) -> int:
    """List accounts."""
    show(output, api.all("users"), "users.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    return [row["id"], row["name"], row["role"], row["labels"], row["disabled"], local_time(row["signed_in_at"])]


@users.command()
@click.argument("name", metavar="NAME")
@click.option("--role", type=_ROLES, default="viewer", help="What it may do.")
@click.option(
    "--label", "labels", multiple=True, metavar="WORD", help="Only channels with this label; may be repeated."
)
@talking
def add(output: Output, api: Api, *, name: str, role: str, labels: tuple[str, ...]) -> int:
    """Make an account; its password is asked for."""
    body = {"name": name, "role": role, "labels": [*labels], "password": _password(name)}
    doc = api.post("users", body)
    done(output, doc, "users.added", name=doc["name"])
    return EXIT_OK


@users.command()
@click.argument("user", metavar="USER")
@click.option("--name", help="Called so.")
@click.option("--role", type=_ROLES, help="What it may do.")
@click.option("--label", "labels", multiple=True, metavar="WORD", help="Its labels, in place of those it has.")
@click.option("--disable/--enable", "disabled", default=None, help="Whether it may sign in.")
@talking
def edit(output: Output, api: Api, *, user: str, **given: Any) -> int:
    """Change an account."""
    patch = given_of(given)
    if not patch:
        raise BadOption("nothing is to be changed: see `ouzel users edit --help`")
    doc = api.patch(f"users/{api.find('users', user, 'name')['id']}", patch)
    done(output, doc, "users.changed", name=doc["name"])
    return EXIT_OK


@users.command()
@click.argument("user", metavar="USER")
@talking
def password(output: Output, api: Api, *, user: str) -> int:
    """Give an account another password; all its sessions end."""
    found = api.find("users", user, "name")
    doc = api.patch(f"users/{found['id']}", {"password": _password(found["name"])})
    done(output, doc, "users.changed", name=doc["name"])
    return EXIT_OK


@users.command()
@click.argument("user", metavar="USER")
@talking
def remove(output: Output, api: Api, *, user: str) -> int:
    """Take an account away, with its sessions and keys."""
    found = api.find("users", user, "name")
    api.delete(f"users/{found['id']}")
    done(output, None, "users.removed", name=found["name"])
    return EXIT_OK


@users.group(cls=Noun)
def keys() -> None:
    """API keys: what programs sign in with."""


@keys.command("list")
@talking
def list_keys(output: Output, api: Api) -> int:
    """List the API keys of all accounts, without their secrets."""
    show(output, api.all("keys", of="all"), "users.keys", _key_cells)
    return EXIT_OK


@keys.command("add")
@click.argument("user", metavar="USER")
@click.argument("name", metavar="NAME")
@click.option("--scope", "scopes", multiple=True, type=_SCOPES, help="What it may do: read (the usual), write, admin.")
@click.option(
    "--label", "labels", multiple=True, metavar="WORD", help="Only channels with this label; may be repeated."
)
@click.option("--expires", metavar="TIME", help="Good until then: ISO 8601 with an offset.")
@talking
def add_key(output: Output, api: Api, *, user: str, name: str, labels: tuple[str, ...], **given: Any) -> int:
    """Make an API key for an account, called NAME. It is shown this once."""
    owner = api.find("users", user, "name")
    body = {"name": name, "user_id": owner["id"], "labels": [*labels], "expires_at": given["expires"]}
    doc = api.post("keys", body | {"scopes": [*given["scopes"]] or ["read"]})
    done(output, doc, "users.key_added", key=doc["key"])
    return EXIT_OK


@keys.command("remove")
@click.argument("word", metavar="KEY")
@talking
def remove_key(output: Output, api: Api, *, word: str) -> int:
    """Take an API key away: from now on it opens nothing."""
    found = api.find("keys", word, "name", "prefix", of="all")
    api.delete(f"keys/{found['id']}")
    done(output, None, "users.key_removed", name=found["name"])
    return EXIT_OK


def _key_cells(row: Row) -> list[object]:
    return [row["id"], row["name"], row["prefix"], row["scopes"], row["labels"], local_time(row["used_at"])]


def _password(name: str) -> str:
    """As it is typed, twice; of what is no terminal, its first line. Raises: BadOption."""
    if sys.stdin.isatty():
        return click.prompt(tr("password", login=name), hide_input=True, confirmation_prompt=True, err=True)
    if password := sys.stdin.readline().rstrip("\r\n"):
        return password
    raise BadOption("the password is typed on a terminal, or is the first line of standard input")
