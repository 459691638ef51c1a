import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from backend.adapters.engine import open_engine, sqlite_url
from backend.adapters.key_store import FileKeyStore, TransportKeys
from backend.adapters.migrate import migrate
from backend.adapters.tables.programmes import FundingSourceRow, MunicipalityRow
from backend.adapters.unit_of_work import DatabaseWork, Unit
from backend.domain.ledger import (
    FIRST_PREV_HASH,
    Account,
    AccountKind,
    Ref,
    RefKind,
    Transfer,
    TransferKind,
    transfer_hash,
)
from backend.errors import ConflictError, KeyStoreError, LedgerError
from cardlib.errors import AuthenticityError
from cardlib.keys.training import TRAINING_GRANT_SEED, TRAINING_MASTERS
from cardlib.system import SystemRandomness
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.ids import TRAINING_ISSUER
from cardlib.wire.money import Money

EXTERNAL = Account(kind=AccountKind.EXTERNAL, municipality=1)
FUND = Account(kind=AccountKind.FUND, municipality=1)
COMMITTED = Account(kind=AccountKind.COMMITTED, municipality=1)


def move(source: Account, target: Account, cents: int) -> Transfer:
    return Transfer(
        kind=TransferKind.FUNDING, source=source, target=target, money=Money(cents),
        event_time=1_700_000_000, ref=Ref(RefKind.FUNDING, "1"),
    )  # fmt: skip


@pytest.fixture
def work(engine: Engine) -> DatabaseWork:
    work = DatabaseWork(engine)
    with work.begin() as unit:
        unit.add(MunicipalityRow(issuer=b"\x01\x51\x46", name="Borgo", key_set=1, created_at=0))
        unit.add(
            FundingSourceRow(municipality_id=1, name="State"),
        )
        unit.commit()
    return work


def test_what_is_not_committed_is_gone(work: DatabaseWork) -> None:
    with work.begin() as unit:
        unit.ledger.post([move(EXTERNAL, FUND, 1000)], booked_at=1)
    with work.begin() as unit:
        assert unit.ledger.balance(FUND) == 0
        assert unit.ledger.head() == (0, FIRST_PREV_HASH)


def test_transfers_are_chained_and_balances_kept(work: DatabaseWork) -> None:
    transfers = [move(EXTERNAL, FUND, 1000), move(FUND, COMMITTED, 300)]
    with work.begin() as unit:
        unit.ledger.post(transfers, booked_at=5)
        unit.commit()
    with work.begin() as unit:
        assert unit.ledger.balances() == {EXTERNAL: -1000, FUND: 700, COMMITTED: 300}
        assert_chained(unit, transfers)


def assert_chained(unit: Unit, transfers: list[Transfer]) -> None:
    previous = FIRST_PREV_HASH
    for number, (row, transfer) in enumerate(
        zip(unit.ledger.transfers(), transfers, strict=True), start=1
    ):
        assert row.prev_hash == previous
        assert row.hash == transfer_hash(previous, number, 5, transfer)
        previous = row.hash
    assert unit.ledger.head() == (len(transfers), previous)


def test_an_account_is_not_overdrawn(work: DatabaseWork) -> None:
    with work.begin() as unit, pytest.raises(LedgerError, match="ACCOUNT_OVERDRAWN"):
        unit.ledger.post([move(FUND, COMMITTED, 1)], booked_at=1)


def test_the_database_itself_refuses_an_overdrawn_account(work: DatabaseWork) -> None:
    with work.begin() as unit:
        unit.ledger.row(FUND).balance_cents = -1
        with pytest.raises(IntegrityError, match="ck_account_balance"):
            unit.flush()


def test_keys_come_back_from_the_sealed_file(tmp_path: Path) -> None:
    path, issuer = tmp_path / "keys", b"\x01\x51\x46"
    store = FileKeyStore(path, "correct horse", SystemRandomness())
    operator = store.create_operator()
    masters = store.create_masters(issuer, 1)
    grant_key = store.create_grant_key(issuer, 1)
    transport = TransportKeys(bytes(16), b"\x01" * 16, b"\x02" * 16)
    store.add_transport_keys("W-1", transport)

    again = FileKeyStore(path, "correct horse", SystemRandomness())
    assert again.operator_key().seed == operator.seed
    assert again.masters(issuer, 1) == masters
    assert again.grant_key(issuer, 1).seed == grant_key.seed
    assert again.transport_keys("W-1") == transport
    assert masters.debit not in path.read_bytes()
    with pytest.raises(ConflictError, match="KEY_EXISTS"):
        again.create_masters(issuer, 1)
    with pytest.raises(KeyStoreError):
        again.masters(issuer, 2)
    with pytest.raises(AuthenticityError, match="PASSPHRASE_WRONG"):
        FileKeyStore(path, "wrong", SystemRandomness())


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    engine = open_engine(sqlite_url(path))
    migrate(engine)
    engine.dispose()

    assert path.stat().st_mode & 0o077 == 0


def test_opening_another_connection_does_not_unlock_the_file_for_others(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    engine = open_engine(sqlite_url(path))
    migrate(engine)
    other = f"""
import sqlite3
try:
    sqlite3.connect({str(path)!r}, timeout=0).execute("BEGIN IMMEDIATE")
    print("begun")
except sqlite3.OperationalError as error:
    print(error)
"""
    with engine.begin() as writing:
        assert writing.in_transaction()
        engine.pool.connect().close()
        told = subprocess.run(
            [sys.executable, "-c", other], capture_output=True, text=True, check=True
        )
    engine.dispose()

    assert told.stdout.strip() == "database is locked"


def test_the_training_issuer_has_the_published_keys_and_nobody_else_has(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path / "keys", "passphrase", SystemRandomness())
    assert store.create_masters(TRAINING_ISSUER, 1) == TRAINING_MASTERS
    grants = store.create_grant_key(TRAINING_ISSUER, 1)
    assert grants.public == SigningKey(TRAINING_GRANT_SEED).public
    town = bytes.fromhex("015146")
    assert store.create_masters(town, 1) != TRAINING_MASTERS
    assert store.create_grant_key(town, 1).public != grants.public
    assert store.create_masters(TRAINING_ISSUER, 2) != TRAINING_MASTERS
