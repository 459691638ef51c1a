"""How the money of a posting moves from one place to the next."""

from backend.domain.ledger import Account, AccountKind
from backend.domain.positions import Move, Place, Source, draw, moves, take_back


def account(kind: AccountKind, **ids: int) -> Account:
    return Account(kind=kind, municipality=1, programme=1, funding_source=1, **ids)


CARD = account(AccountKind.ON_CARD, purse=1, slot=1)
EXPOSURE = account(AccountKind.EXPOSURE)
PAYABLE = account(AccountKind.PAYABLE, merchant=1)
SUSPENSE = account(AccountKind.SUSPENSE, case=1)
NOTHING: dict[Place, int] = {}


def test_a_first_posting_takes_from_the_slot_and_then_from_exposure() -> None:
    wanted = {(EXPOSURE, SUSPENSE): 20, (CARD, SUSPENSE): 80}
    assert moves(NOTHING, wanted) == [Move(CARD, SUSPENSE, 80), Move(EXPOSURE, SUSPENSE, 20)]


def test_later_proven_moves_between_holders_only() -> None:
    assert moves({(CARD, SUSPENSE): 80}, {(CARD, PAYABLE): 80}) == [Move(SUSPENSE, PAYABLE, 80)]


def test_disproved_gives_back_exposure_first() -> None:
    current = {(CARD, SUSPENSE): 80, (EXPOSURE, SUSPENSE): 20}
    assert moves(current, NOTHING) == [Move(SUSPENSE, EXPOSURE, 20), Move(SUSPENSE, CARD, 80)]


def test_a_confirmed_grant_pays_exposure_back() -> None:
    assert moves({(EXPOSURE, PAYABLE): 20}, {(CARD, PAYABLE): 20}) == [Move(CARD, EXPOSURE, 20)]


def test_a_dead_branch_is_lent_by_exposure() -> None:
    current, wanted = {(CARD, PAYABLE): 20}, {(EXPOSURE, SUSPENSE): 20}
    assert sorted(moves(current, wanted), key=lambda move: move.source.code) == [
        Move(EXPOSURE, SUSPENSE, 20),
        Move(PAYABLE, CARD, 20),
    ]


def test_an_unproven_void_holds_back_and_a_proven_one_returns() -> None:
    held = {(CARD, PAYABLE): -30, (CARD, SUSPENSE): 30}
    assert moves(NOTHING, held) == [Move(PAYABLE, SUSPENSE, 30)]
    assert moves(held, {(CARD, PAYABLE): -30}) == [Move(SUSPENSE, CARD, 30)]


def test_nothing_to_change_moves_nothing() -> None:
    assert moves({(CARD, PAYABLE): 5}, {(CARD, PAYABLE): 5}) == []


def test_drawing_empties_the_slot_before_exposure() -> None:
    sources = [Source(CARD, 80)]
    assert draw(100, {}, sources, EXPOSURE, cover=False) == {CARD: 80, EXPOSURE: 20}
    assert draw(60, {CARD: 80, EXPOSURE: 20}, [], EXPOSURE, cover=False) == {CARD: 60}
    assert draw(100, {CARD: 80, EXPOSURE: 20}, [Source(CARD, 50)], EXPOSURE, cover=True) == {
        CARD: 100
    }
    assert draw(100, {CARD: 80, EXPOSURE: 20}, [Source(CARD, 50)], EXPOSURE, cover=False) == {
        CARD: 80,
        EXPOSURE: 20,
    }


def test_a_void_takes_back_exposure_first() -> None:
    position = {(CARD, SUSPENSE): 80, (EXPOSURE, SUSPENSE): 20}
    assert take_back(30, position) == {(EXPOSURE, SUSPENSE): 20, (CARD, SUSPENSE): 10}
    assert take_back(500, position) == {(EXPOSURE, SUSPENSE): 20, (CARD, SUSPENSE): 80}
