import pytest

from backend.domain.ledger import (
    FIRST_PREV_HASH,
    Account,
    AccountKind,
    Ref,
    RefKind,
    SlotBooks,
    Transfer,
    TransferKind,
    balances_of,
    check_programmes,
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
    check_programmes(balances)


def test_a_missing_cent_is_noticed() -> None:
    with pytest.raises(LedgerError, match="LEDGER_OUT_OF_BALANCE"):
        check_programmes({EXTERNAL: -1000, FUND: 999})


def test_a_fund_cannot_give_what_it_does_not_hold() -> None:
    with pytest.raises(LedgerError, match="ACCOUNT_OVERDRAWN"):
        check_programmes(balances_of([move(FUND, COMMITTED, 1)]))


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


def test_slot_books_close_to_zero() -> None:
    assert SlotBooks(granted=5000, posted=1200, on_card=3800).difference == 0
    assert SlotBooks(granted=5000, posted=5200, over=200).difference == 0
    assert SlotBooks(granted=5000, posted=1200, on_card=3700).difference == 100
