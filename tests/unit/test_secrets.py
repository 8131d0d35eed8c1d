"""The key of the data folder: made once, whole, for nobody else; and what is derived from it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ouzel.base.errors import NotAllowed, ReadOnly, SecretUnreadable
from ouzel.services.secrets import Secrets, load_secrets

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
SECRETS = Secrets(bytes(range(32)))


def test_it_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"

    first, again = load_secrets(path), load_secrets(path)

    assert first.key("jwt") == again.key("jwt")
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_it_is_never_for_others_however_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_secrets(tmp_path / "secret.key")
    finally:
        os.umask(before)

    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_one_that_others_can_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    load_secrets(path)
    path.chmod(0o644)

    load_secrets(path)

    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"no key", b"abcd\n", b"\xff\xfe", b"00" * 31, b"00" * 33])
def test_a_damaged_one_is_told_and_left(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(content)

    with pytest.raises(SecretUnreadable, match=r"secret\.key is damaged"):
        load_secrets(path)

    assert path.read_bytes() == content


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ReadOnly, match=r"secret\.key"):
        load_secrets(tmp_path / "file" / "secret.key")


def test_a_key_for_each_purpose() -> None:
    keys = [SECRETS.key(purpose) for purpose in ("jwt", "fernet", "signing")]

    assert len({*keys, bytes(range(32))}) == 4
    assert all(len(key) == 32 for key in keys)


def test_derivation_is_hkdf() -> None:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    assert SECRETS.key("jwt") == HKDF(SHA256(), 32, salt=b"ouzel", info=b"jwt").derive(bytes(range(32)))


def test_what_is_sealed_is_opened_with_the_same_key_alone() -> None:
    sealed = SECRETS.box.seal("SESSDATA=机密")

    assert SECRETS.box.open(sealed) == "SESSDATA=机密"
    assert "SESSDATA" not in sealed
    assert sealed != SECRETS.box.seal("SESSDATA=机密")
    with pytest.raises(SecretUnreadable):
        Secrets(b"other" * 8).box.open(sealed)
    for damaged in (sealed[:-1], "", "é"):
        with pytest.raises(SecretUnreadable):
            SECRETS.box.open(damaged)


def test_a_signed_address_is_good_for_its_path_user_and_time() -> None:
    query = SECRETS.signer.sign("/media/a.ts", "ann", NOW + timedelta(minutes=5))

    assert SECRETS.signer.verify("/media/a.ts", query, NOW) == "ann"
    assert SECRETS.signer.verify("/media/a.ts", f"x=1&{query}&start=7", NOW) == "ann"
    for path, spoiled, at in [
        ("/media/b.ts", query, NOW),
        ("/media/a.ts", query.replace("ann", "bob"), NOW),
        ("/media/a.ts", query.replace("until=", "until=1"), NOW),
        ("/media/a.ts", query, NOW + timedelta(minutes=5)),
        ("/media/a.ts", query[:-1], NOW),
        ("/media/a.ts", "", NOW),
        ("/media/a.ts", "user=ann&until=x&sign=é", NOW),
    ]:
        with pytest.raises(NotAllowed):
            SECRETS.signer.verify(path, spoiled, at)
