"""Accounts, transfers and the equations of PROTOCOL 7.

Double entry in integer cents: a transfer takes from one account what it gives
to another, within one municipality, programme and funding source. Transfers are
never changed; a correction is a new transfer. Each one carries the hash of the
one before:

``hash = SHA-256(prev_hash ‖ JSON)``, JSON in UTF-8 with sorted keys and no white
space: ``{"amount_cents", "booked_at", "event_time", "from", "id", "kind", "ref":
{"id", "kind"}, "to"}``; accounts are named by their codes, ids count from 1 without
gaps, and the first ``prev_hash`` is 32 zero bytes.

A balance is what came in less what went out; external, exposure and loss are
contra accounts, whose balances are normally negative.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from backend.errors import LedgerError
from cardlib.wire.money import Money

FIRST_PREV_HASH = bytes(32)


class AccountKind(StrEnum):
    """Where money is; the chain of DESIGN 1 in accounts."""

    EXTERNAL = "external"
    """Outside: what funders gave (contra)."""
    FUND = "fund"
    """Given to a programme, not yet awarded."""
    COMMITTED = "committed"
    """Awarded to a household, not yet granted on a card."""
    LOADING = "loading"
    """In a signed grant that no card has yet been seen to hold."""
    ON_CARD = "on_card"
    """On a purse, in one slot."""
    EXPIRED_PENDING = "expired_pending"
    """On a purse past its last day; late sales may still come in."""
    EXPIRED = "expired"
    """Left on a purse for good."""
    BLOCKED = "blocked"
    """On a purse that may not pay any more."""
    PAYABLE = "payable"
    """Owed to a merchant; negative when the merchant owes us."""
    IN_PAYMENT = "in_payment"
    """In a settlement batch."""
    PAID = "paid"
    """Paid out to a merchant."""
    SUSPENSE = "suspense"
    """Waits for a proof or a person; one account a case."""
    REFUND_DUE = "refund_due"
    """To be given back to a purse by a new grant."""
    EXPOSURE = "exposure"
    """Posted beyond what a slot held (contra)."""
    LOSS = "loss"
    """Taken over by the municipality, by a person's decision (contra)."""


PRESENT_KINDS = (AccountKind.ON_CARD, AccountKind.EXPIRED_PENDING, AccountKind.BLOCKED)
"""A slot's present account is one of these; there is never money in two of them."""
_MAY_BE_NEGATIVE = {
    AccountKind.EXTERNAL, AccountKind.EXPOSURE, AccountKind.LOSS, AccountKind.PAYABLE,
}  # fmt: skip


class Pot(NamedTuple):
    """Whose money it is: it never leaves its municipality, programme and funding source."""

    municipality: int
    programme: int | None
    funding_source: int | None

    def account(
        self, kind: AccountKind, *, purse: int | None = None, slot: int | None = None,
        merchant: int | None = None, case: int | None = None,
    ) -> "Account":  # fmt: skip
        """The pot's account of a kind, of whom it belongs to."""
        return Account(
            kind=kind, municipality=self.municipality, programme=self.programme,
            funding_source=self.funding_source, purse=purse, slot=slot, merchant=merchant,
            case=case,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account, by what it belongs to; numbers are the ids of the stored rows."""

    kind: AccountKind
    municipality: int
    programme: int | None = None
    funding_source: int | None = None
    purse: int | None = None
    slot: int | None = None
    merchant: int | None = None
    case: int | None = None

    @property
    def code(self) -> str:
        """The account's unique name, as in ``on_card/m1/p2/f1/u7/s1``."""
        parts = (
            ("m", self.municipality), ("p", self.programme), ("f", self.funding_source),
            ("u", self.purse), ("s", self.slot), ("c", self.merchant), ("k", self.case),
        )  # fmt: skip
        return "/".join([self.kind, *(f"{mark}{id_}" for mark, id_ in parts if id_ is not None)])

    @property
    def pot(self) -> Pot:
        """Whose money it is."""
        return Pot(self.municipality, self.programme, self.funding_source)

    @property
    def may_be_negative(self) -> bool:
        """Whether more may go out than came in."""
        return self.kind in _MAY_BE_NEGATIVE


class TransferKind(StrEnum):
    """The events of PROTOCOL 7."""

    FUNDING = "funding"
    AWARD = "award"
    AWARD_WITHDRAWN = "award_withdrawn"
    FUNDING_RETURNED = "funding_returned"
    GRANT_SIGNED = "grant_signed"
    GRANT_CONFIRMED = "grant_confirmed"
    GRANT_COVERS = "grant_covers"
    """A confirmed grant pays what was posted before it was known."""
    WALLET_REVIVED = "wallet_revived"
    """An expired wallet was loaded again."""
    WALLET_LEFT = "wallet_left"
    """An old wallet's rest was not carried over."""
    ORDER_VOID = "order_void"
    SALE_PROVEN = "sale_proven"
    SALE_UNPROVEN = "sale_unproven"
    LATER_PROVEN = "later_proven"
    DISPROVED = "disproved"
    NOT_APPLIED_PROVEN = "not_applied_proven"
    AMOUNT_CORRECTED = "amount_corrected"
    SUSPENDED = "suspended"
    VOID_PROVEN = "void_proven"
    VOID_UNPROVEN = "void_unproven"
    FORK_DEAD = "fork_dead"
    EXPIRED_PENDING = "expired_pending"
    EXPIRED = "expired"
    EXPIRED_RELEASED = "expired_released"
    """What expired is the programme's again."""
    CARD_BLOCKED = "card_blocked"
    CARD_UNBLOCKED = "card_unblocked"
    BATCH = "batch"
    LINE_HELD = "line_held"
    """A review takes a line out of its batch."""
    PAID = "paid"
    FAILED = "failed"
    RETURN_AGREED = "return_agreed"
    """Goods came back: what the merchant was owed goes to the purse."""
    RETURN_REPAID = "return_repaid"
    """The merchant sent it back, having been paid."""
    CASE_CLOSED = "case_closed"
    CASE_COVERED = "case_covered"
    """A person decided who bears what a wallet lacked."""


class RefKind(StrEnum):
    """What a transfer goes back to."""

    FUNDING = "funding"
    AWARD = "award"
    ORDER = "order"
    ENTRY = "entry"
    RECORD = "record"
    """A proven record whose entry is missing: ``issuer:purse:ctr:hash``, hash the first 4
    bytes of SHA-256(record)."""
    BATCH = "batch"
    OUTCOME = "outcome"
    SESSION = "session"
    EXPIRY = "expiry"
    """``issuer:purse:grant_seq``."""
    BLOCK = "block"
    """A card declared lost or stolen."""
    CASE = "case"
    RETURN = "return"
    """Goods that came back."""


@dataclass(frozen=True, slots=True)
class Ref:
    """The document the money belongs to; an entry is ``terminal:seq``."""

    kind: RefKind
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Moves ``money`` (above zero); ``event_time`` in Unix seconds is when it happened."""

    kind: TransferKind
    source: Account
    target: Account
    money: Money
    event_time: int
    ref: Ref

    def __post_init__(self) -> None:
        if self.money.cents <= 0 or self.source == self.target:
            raise LedgerError("TRANSFER_EMPTY", source=self.source.code)
        if self.source.pot != self.target.pot:
            raise LedgerError("TRANSFER_LEAVES_POT", source=self.source.code)


def transfer_hash(prev_hash: bytes, number: int, booked_at: int, transfer: Transfer) -> bytes:
    """The hash that chains ``transfer``, stored as number ``number``."""
    row = {
        "id": number,
        "kind": transfer.kind,
        "from": transfer.source.code,
        "to": transfer.target.code,
        "amount_cents": transfer.money.cents,
        "event_time": transfer.event_time,
        "booked_at": booked_at,
        "ref": {"kind": transfer.ref.kind, "id": transfer.ref.id},
    }
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(prev_hash + text.encode()).digest()


def balances_of(transfers: Iterable[Transfer]) -> dict[Account, int]:
    """Cents in each account after ``transfers``."""
    balances: dict[Account, int] = {}
    for transfer in transfers:
        balances[transfer.source] = balances.get(transfer.source, 0) - transfer.money.cents
        balances[transfer.target] = balances.get(transfer.target, 0) + transfer.money.cents
    return balances


def feasible_order(
    transfers: Iterable[Transfer], balances: Mapping[Account, int]
) -> list[Transfer]:
    """``transfers`` in an order in which no account is overdrawn, as near as possible to theirs.

    LedgerError ``ACCOUNT_OVERDRAWN`` when there is none.
    """
    held, waiting, result = dict(balances), list(transfers), []
    while waiting:
        at = _first_covered(waiting, held)
        if at is None:
            raise LedgerError("ACCOUNT_OVERDRAWN", account=waiting[0].source.code)
        transfer = waiting.pop(at)
        held[transfer.source] = held.get(transfer.source, 0) - transfer.money.cents
        held[transfer.target] = held.get(transfer.target, 0) + transfer.money.cents
        result.append(transfer)
    return result


def _first_covered(waiting: Iterable[Transfer], held: Mapping[Account, int]) -> int | None:
    for at, transfer in enumerate(waiting):
        covered = held.get(transfer.source, 0) >= transfer.money.cents
        if covered or transfer.source.may_be_negative:
            return at
    return None
