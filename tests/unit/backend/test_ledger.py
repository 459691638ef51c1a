import pytest

from backend.domain.ledger import (
    FIRST_PREV_HASH,
    Account,
    AccountKind,
    Ref,
    RefKind,
    Transfer,
    TransferKind,
    balances_of,
    transfer_hash,
)
from backend.errors import LedgerError
from cardlib.wire.money import Money


def account(kind: AccountKind, **ids: int) -> Account:
    return Account(kind=kind, municipality=1, programme=1, funding_source=1, **ids)


FUND = account(AccountKind.FUND)
EXTERNAL = account(AccountKind.EXTERNAL)
COMMITTED = account(AccountKind.COMMITTED)


def move(source: Account, target: Account, cents: int) -> Transfer:
    return Transfer(
        kind=TransferKind.FUNDING, source=source, target=target, money=Money(cents),
        event_time=1_700_000_000, ref=Ref(RefKind.FUNDING, "1"),
    )  # fmt: skip


def test_account_code_names_everything_the_account_belongs_to() -> None:
    assert account(AccountKind.ON_CARD, purse=7, slot=2).code == "on_card/m1/p1/f1/u7/s2"


def test_what_was_funded_is_always_somewhere() -> None:
    transfers = [move(EXTERNAL, FUND, 1000), move(FUND, COMMITTED, 300)]
    balances = balances_of(transfers)
    assert balances == {EXTERNAL: -1000, FUND: 700, COMMITTED: 300}


def test_money_does_not_leave_its_programme() -> None:
    other = Account(kind=AccountKind.FUND, municipality=1, programme=2, funding_source=1)
    with pytest.raises(LedgerError, match="TRANSFER_LEAVES_POT"):
        move(FUND, other, 1)


@pytest.mark.parametrize("cents", [0, -5])
def test_a_transfer_moves_more_than_nothing(cents: int) -> None:
    with pytest.raises(LedgerError, match="TRANSFER_EMPTY"):
        move(FUND, COMMITTED, cents)


def test_transfer_hash_is_the_documented_one() -> None:
    # printf over 32 zero bytes and the JSON of the module's docstring, sha256sum
    digest = transfer_hash(FIRST_PREV_HASH, 1, 1_700_000_001, move(EXTERNAL, FUND, 1000))
    assert digest.hex() == ("9495f01e3f957bcfcf368baf50060813253576fb247aae1eeac0afc7abde4bb2")
