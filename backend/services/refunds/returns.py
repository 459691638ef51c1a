"""Goods that came back after the day's close (PROTOCOL 6 and 7: "everything later is a return").

Two people agree it. What the merchant is owed falls by the price (payable → refund_due) and an
order gives it to the purse by a new grant. A merchant that was paid already owes it: the next
batch nets it, unless the merchant sends it back first (paid → payable).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.adapters.tables.cards import LoadOrderRow
from backend.adapters.tables.settlement import GoodsReturnRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.amounts import check_amount
from backend.domain.ledger import Account, AccountKind, Ref, RefKind, TransferKind
from backend.domain.people import check_person, check_two_people
from backend.domain.settlement import BatchState
from backend.domain.states import OrderSource
from backend.errors import ConflictError, UnknownError
from backend.services.refunds import refunds_due
from backend.services.refunds.refund_orders import check_target
from backend.services.refunds.refunds_due import Wallet, wallet_of
from backend.services.unit_of_work import Work
from backend.services.verdicts.posted import entry_of, void_above
from backend.services.wallets.accounts import move_now
from backend.services.wallets.replacements import check_slot
from cardlib.ports import Clock
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedReturn:
    """A return as a list shows it; ``entry`` is the sale's, ``order`` the newest load order."""

    number: int
    entry: str
    merchant: int
    slot: int
    cents: int
    act: str
    agreed_at: int
    order: int | None
    netted_in: int | None
    """The batch that takes it off what the merchant gets."""
    repaid_ref: str | None


@dataclass(frozen=True, slots=True)
class ReturnDesk:
    """The use cases; people are named by whoever calls."""

    work: Work
    clock: Clock

    def agree(
        self, terminal: int, seq: int, amount: Money, *, act: str, requested_by: str,
        approved_by: str, slot: int | None = None, purse: PurseId | None = None,
    ) -> list[AgreedReturn]:  # fmt: skip
        """Goods worth ``amount`` of a sale came back, by its intent's or entry's number.

        One return a wallet, of ``slot`` or of all in order, each with an order onto the purse
        that was debited, or ``purse`` when that one is replaced. The same act again changes
        nothing. NotPermittedError ``SAME_PERSON``; BadInputError ``AMOUNT_BAD``; UnknownError
        ``SALE_NOT_FOUND``; ConflictError ``RETURN_NOT_OWED``, ``RETURN_ABOVE_SALE``,
        ``RETURN_OTHER_AMOUNT``, ``PURSE_NOT_ACTIVE``, ``REPLACEMENT_SLOT_TAKEN``.
        """
        check_two_people(requested_by, approved_by)
        check_amount(amount)
        with self.work.begin() as unit:
            posting = unit.acts.posting_of_sale(terminal, seq)
            if posting is None:
                raise UnknownError("SALE_NOT_FOUND", terminal=terminal, seq=seq)
            known = [row for row in unit.settlement.returns_of(posting.id) if row.act == act]
            if known:
                if sum(row.cents for row in known) != amount.cents:
                    raise ConflictError("RETURN_OTHER_AMOUNT", act=act)
                return [_view(unit, row) for row in known]
            people = {"requested_by": requested_by, "approved_by": approved_by}
            rows = self._agree(unit, posting, _shares(unit, posting, slot, amount), act, people)
            target = posting.purse_id if purse is None else unit.cards.purse(purse).id
            check_target(unit, posting, target)
            for row in rows:
                self._order(unit, row, target, people)
            unit.commit()
            return [_view(unit, row) for row in rows]

    def order_again(
        self, number: int, *, requested_by: str, approved_by: str, purse: PurseId | None = None
    ) -> AgreedReturn:
        """A new order for what no order of a return takes, because one is void.

        Errors as above; ConflictError ``REFUND_NOTHING_DUE``.
        """
        check_two_people(requested_by, approved_by)
        with self.work.begin() as unit:
            row = unit.settlement.goods_return(number)
            posting = unit.verdicts.posting(row.posting_id)
            if refunds_due.left_of_return(unit, row) < row.cents:
                raise ConflictError(
                    "REFUND_NOTHING_DUE", terminal=posting.terminal, seq=posting.intent_seq
                )
            target = posting.purse_id if purse is None else unit.cards.purse(purse).id
            check_target(unit, posting, target)
            people = {"requested_by": requested_by, "approved_by": approved_by}
            self._order(unit, row, target, people)
            unit.commit()
            return _view(unit, row)

    def repaid(self, number: int, reference: str, by: str) -> AgreedReturn:
        """The merchant sent the money back; ``reference`` is the bank's.

        Again changes nothing. UnknownError ``RETURN_UNKNOWN``; ConflictError
        ``RETURN_NETTED``, ``RETURN_NOT_PAID``, ``RETURN_REPAID_BEFORE``.
        """
        check_person(by)
        with self.work.begin() as unit:
            row = unit.settlement.goods_return(number)
            if row.repaid_ref is not None:
                if row.repaid_ref != reference:
                    raise ConflictError("RETURN_REPAID_BEFORE", number=number, ref=row.repaid_ref)
                return _view(unit, row)
            _check_may_be_repaid(unit, row)
            row.repaid_ref, row.repaid_by, row.repaid_at = reference, by, self._now()
            paid, payable = (
                _account(row, kind) for kind in (AccountKind.PAID, AccountKind.PAYABLE)
            )
            self._post(unit, row, TransferKind.RETURN_REPAID, paid, payable)
            unit.commit()
            return _view(unit, row)

    def listed(self) -> list[AgreedReturn]:
        """Every return, oldest first."""
        with self.work.read() as unit:
            return [_view(unit, row) for row in unit.settlement.returns()]

    def _agree(
        self, unit: Unit, posting: PostingRow, shares: Mapping[Wallet, int], act: str,
        people: Mapping[str, str],
    ) -> list[GoodsReturnRow]:  # fmt: skip
        rows = []
        for (slot, programme, funding_source), cents in shares.items():
            row = GoodsReturnRow(
                posting_id=posting.id, slot=slot, programme_id=programme,
                funding_source_id=funding_source, merchant_id=posting.merchant_id, cents=cents,
                act=act, agreed_at=self._now(), **people,
            )  # fmt: skip
            unit.add(row)
            row.programme = unit.programmes.programme(row.programme_id)
            payable, due = (
                _account(row, kind) for kind in (AccountKind.PAYABLE, AccountKind.REFUND_DUE)
            )
            self._post(unit, row, TransferKind.RETURN_AGREED, payable, due)
            rows.append(row)
        return rows

    def _order(
        self, unit: Unit, row: GoodsReturnRow, target: int, people: Mapping[str, str]
    ) -> None:
        check_slot(unit, target, row.slot, row.programme_id)
        unit.add(
            LoadOrderRow(
                purse_id=target, slot=row.slot, programme_id=row.programme_id,
                funding_source_id=row.funding_source_id, source=OrderSource.REFUND,
                return_id=row.id, delta_cents=row.cents, approved_at=self._now(), **people,
            )
        )  # fmt: skip

    def _post(
        self, unit: Unit, row: GoodsReturnRow, kind: TransferKind, source: Account, target: Account
    ) -> None:
        ref = Ref(RefKind.RETURN, str(row.id))
        move_now(unit, kind, source, target, Money(row.cents), ref, self._now())

    def _now(self) -> int:
        return self.clock.unix_ms() // 1000


def returnable(unit: Unit, posting: PostingRow) -> dict[Wallet, int]:
    """What of a sale may still come back, by wallet: owed or paid to its merchant, above zero.

    Less what a void took, and other returns. What its wallet had lacked is not the purse's.
    """
    left: dict[Wallet, int] = {}
    void = void_above(unit, posting)
    for row in (posting,) if void is None else (posting, void):
        for part in row.parts:
            origin, holder = (
                unit.ledger.account(number) for number in (part.origin_id, part.holder_id)
            )
            if holder.kind is AccountKind.PAYABLE and origin.kind is not AccountKind.EXPOSURE:
                wallet = wallet_of(part.slot, holder)
                left[wallet] = left.get(wallet, 0) + part.cents
    for known in unit.settlement.returns_of(posting.id):
        left[known.slot, known.programme_id, known.funding_source_id] -= known.cents
    return {wallet: cents for wallet, cents in left.items() if cents > 0}


def _shares(unit: Unit, posting: PostingRow, slot: int | None, amount: Money) -> dict[Wallet, int]:
    """``amount`` over the wallets of a sale, in the order of their slots."""
    if posting.is_void or not posting.live or posting.amount_open or posting.merchant_id is None:
        raise ConflictError("RETURN_NOT_OWED", entry=entry_of(posting))
    left = {
        wallet: cents
        for wallet, cents in sorted(returnable(unit, posting).items(), key=str)
        if slot in {None, wallet[0]}
    }
    if not left:
        raise ConflictError("RETURN_NOT_OWED", entry=entry_of(posting))
    if amount.cents > sum(left.values()):
        raise ConflictError("RETURN_ABOVE_SALE", cents=sum(left.values()))
    shares, missing = dict[Wallet, int](), amount.cents
    for wallet, cents in left.items():
        if taken := min(cents, missing):
            shares[wallet] = taken
            missing -= taken
    return shares


def _check_may_be_repaid(unit: Unit, row: GoodsReturnRow) -> None:
    netted = _netted_in(unit, row)
    if netted is not None:
        raise ConflictError("RETURN_NETTED", number=row.id, batch=netted)
    line = unit.settlement.included_line(row.posting_id)
    if line is None or unit.settlement.batch(line.batch_id).state != BatchState.PAID:
        raise ConflictError("RETURN_NOT_PAID", number=row.id)


def _netted_in(unit: Unit, row: GoodsReturnRow) -> int | None:
    line = unit.settlement.line_of_return(row.id)
    if line is None or unit.settlement.batch(line.batch_id).state == BatchState.FAILED:
        return None
    return line.batch_id


def _account(row: GoodsReturnRow, kind: AccountKind) -> Account:
    merchant = None if kind is AccountKind.REFUND_DUE else row.merchant_id
    return row.pot.account(kind, merchant=merchant)


def _view(unit: Unit, row: GoodsReturnRow) -> AgreedReturn:
    orders = unit.settlement.orders_of_return(row.id)
    return AgreedReturn(
        number=row.id, entry=entry_of(unit.verdicts.posting(row.posting_id)),
        merchant=row.merchant_id, slot=row.slot, cents=row.cents, act=row.act,
        agreed_at=row.agreed_at, order=orders[-1].id if orders else None,
        netted_in=_netted_in(unit, row), repaid_ref=row.repaid_ref,
    )  # fmt: skip
