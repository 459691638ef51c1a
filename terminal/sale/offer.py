"""The offer: what the vouchers would pay of a basket, before anything is agreed.

Pure: from a fresh view of the purse, the day and the limits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from cardlib.codec.purse import SpendType, day_date
from cardlib.dialogues.purse_state import PurseState, Wallet
from cardlib.wire.entry_body import Line, Shown
from cardlib.wire.ids import Seq
from cardlib.wire.money import ZERO, Money
from terminal.errors import SaleRefusedError
from terminal.sale.allocation import Allocation, Source, allocate
from terminal.sale.day_spent import spent_today

CATEGORY_MAX = 31


@dataclass(frozen=True, slots=True)
class Item:
    """Category total of a basket; ``category`` is a bit number from 0 to 31."""

    category: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Share:
    """What one wallet gives (or, in a void, gets back): balance before and after."""

    slot: int
    grant_seq: int
    programme: int
    before: Money
    after: Money
    valid_to: date

    @property
    def pays(self) -> Money:
        """Before less after; negative in a void."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What the vouchers do not pay of a category, and the code that says why."""

    category: int
    amount: Money
    code: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What the customer is asked to agree to."""

    kind: SpendType
    shares: tuple[Share, ...]
    lines: tuple[Line, ...]
    other: Money
    """To be paid in another way: given goods and all shortfalls."""
    shortfalls: tuple[Shortfall, ...] = ()
    voided: Seq | None = None

    @property
    def total(self) -> Money:
        """What the vouchers pay, or in a void give back; always positive."""
        return Money(sum(line.cents for line in self.lines))

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Key 39 of the intent."""
        return tuple(
            Shown(share.slot, share.before.cents, share.after.cents) for share in self.shares
        )

    def require_everything_paid(self) -> None:
        """SaleRefusedError with the reason when the vouchers leave something unpaid."""
        for short in self.shortfalls:
            raise _refusal(short)


def check_items(items: Iterable[Item], known: Iterable[int]) -> dict[int, int]:
    """Cents by category; SaleRefusedError for amounts and categories that cannot be.

    ``known`` are the operator's categories; empty when there is no bundle yet.
    """
    demand: dict[int, int] = {}
    bits = set(known)
    for item in items:
        if item.amount.cents <= 0:
            raise SaleRefusedError("AMOUNT_NOT_POSITIVE", amount=str(item.amount))
        if not 0 <= item.category <= CATEGORY_MAX or (bits and item.category not in bits):
            raise SaleRefusedError("CATEGORY_UNKNOWN", category=item.category)
        demand[item.category] = demand.get(item.category, 0) + item.amount.cents
    if not demand:
        raise SaleRefusedError("AMOUNT_NOT_POSITIVE", amount=str(ZERO))
    return demand


def make_offer(
    state: PurseState, demand: Mapping[int, int], other: Money, today: int, sale_limit: int
) -> Offer:
    """Splits ``demand`` (cents by category) over the wallets valid on the day ``today``."""
    before = spent_today(state.spend, today)
    split = allocate(_sources(state, today), demand, spent_today=before, sale_limit=sale_limit)
    shortfalls = tuple(
        Shortfall(
            category,
            Money(cents - split.of_category(category)),
            _reason(state, category, today, split, sale_limit),
        )
        for category, cents in sorted(demand.items())
        if split.of_category(category) < cents
    )
    missing = sum(short.amount.cents for short in shortfalls)
    return Offer(
        SpendType.SALE, _shares(state, split), _lines(state, split), other + Money(missing),
        shortfalls,
    )  # fmt: skip


def require_something_paid(offer: Offer) -> None:
    """SaleRefusedError when the vouchers would pay nothing at all."""
    if not offer.lines:
        raise _refusal(offer.shortfalls[0])


def _sources(state: PurseState, today: int) -> list[Source]:
    return [
        Source(
            slot, wallet.grant.valid_to, wallet.balance.cents, wallet.grant.categories,
            wallet.grant.day_limit_eur * 100,
        )
        for slot, wallet in state.wallets.items()
        if wallet.grant.valid_on(today) and wallet.balance.cents > 0
    ]  # fmt: skip


def _shares(state: PurseState, split: Allocation) -> tuple[Share, ...]:
    slots = sorted({slot for slot, _ in split.paid})
    return tuple(share_of(state.wallets[slot], Money(split.of_slot(slot))) for slot in slots)


def share_of(wallet: Wallet, pays: Money) -> Share:
    """What a wallet's balance is before and after it ``pays``."""
    grant = wallet.grant
    return Share(
        grant.slot, grant.grant_seq, grant.programme, wallet.balance, wallet.balance - pays,
        day_date(grant.valid_to),
    )  # fmt: skip


def _lines(state: PurseState, split: Allocation) -> tuple[Line, ...]:
    return tuple(
        Line(slot, state.wallets[slot].grant.grant_seq, category, cents)
        for (slot, category), cents in sorted(split.paid.items())
    )


def _reason(
    state: PurseState, category: int, today: int, split: Allocation, sale_limit: int
) -> str:
    buying = [item for item in state.wallets.values() if item.grant.allows(category)]
    if not buying:
        return next(iter(state.refused.values()), "CATEGORY_NOT_ON_WALLET")
    valid = [item for item in buying if item.grant.valid_on(today)]
    if not valid:
        early = any(item.grant.valid_from > today for item in buying)
        return "WALLET_NOT_YET_VALID" if early else "WALLET_EXPIRED"
    if sale_limit and split.total >= sale_limit:
        return "SALE_LIMIT"
    if any(split.of_slot(item.slot) < item.balance.cents for item in valid):
        return "DAY_LIMIT_REACHED"
    return "BALANCE_TOO_LOW"


def _refusal(short: Shortfall) -> SaleRefusedError:
    return SaleRefusedError(short.code, category=short.category, amount=str(short.amount))
