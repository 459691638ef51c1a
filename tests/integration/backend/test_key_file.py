"""The key store's file, as two processes use it."""

from pathlib import Path

import pytest

from backend.adapters.key_store import FileKeyStore, TransportKeys
from backend.errors import ConflictError
from tests.integration.backend.builders import SeededRandomness

ISSUER = bytes.fromhex("015146")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def store(path: Path, seed: int) -> FileKeyStore:
    return FileKeyStore(path, "a passphrase", SeededRandomness(seed))


def card(byte: int) -> TransportKeys:
    return TransportKeys(*(bytes([byte + at]) * 16 for at in range(3)))


def test_no_process_overwrites_what_another_has_added(path: Path) -> None:
    one, other = store(path, 1), store(path, 2)
    operator = one.create_operator()
    masters = other.create_masters(ISSUER, 1)
    one.add_transport_keys("A", card(1))
    other.add_transport_keys("B", card(5))
    one.create_grant_key(ISSUER, 1)

    kept = store(path, 3)
    assert kept.operator_key().public == operator.public
    assert kept.masters(ISSUER, 1) == masters
    assert (kept.transport_keys("A"), kept.transport_keys("B")) == (card(1), card(5))
    assert kept.has_grant_key(ISSUER, 1)


def test_a_key_that_another_process_made_is_not_made_anew(path: Path) -> None:
    one, other = store(path, 1), store(path, 2)
    one.create_operator()
    with pytest.raises(ConflictError, match="KEY_EXISTS"):
        other.create_operator()
