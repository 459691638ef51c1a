"""The stored ledger: accounts, balances, and the append-only chain of transfers."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from backend.adapters.repositories.parts import in_parts
from backend.adapters.tables.ledger import AccountRow, LedgerHeadRow, TransferRow
from backend.domain.ledger import (
    FIRST_PREV_HASH,
    PRESENT_KINDS,
    Account,
    AccountKind,
    RefKind,
    Transfer,
    TransferKind,
    transfer_hash,
)
from backend.errors import LedgerError

HEAD_ID = 1
_BY_CODE = select(AccountRow).where(AccountRow.code == bindparam("code"))


class Ledger:
    """Accounts and transfers of one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[str, AccountRow | None] = {}
        """By code; None: it was looked for and is not there."""
        self._by_id: dict[int, AccountRow] = {}
        self._values: dict[int, Account] = {}
        self._of_purse: dict[int, list[AccountRow]] = {}
        """Every account of the purses that were fetched, oldest first."""
        self._last: LedgerHeadRow | None = None

    def fetch_accounts(self, purses: Collection[int], merchants: Collection[int]) -> None:
        """Looks up every account of these purses and merchants, in one go."""
        missing = [purse for purse in purses if purse not in self._of_purse]
        if not missing:
            return
        self._of_purse.update((purse, []) for purse in missing)
        for row in self._session.scalars(
            select(AccountRow)
            .where(or_(AccountRow.purse_id.in_(missing), AccountRow.merchant_id.in_(merchants)))
            .order_by(AccountRow.id)
        ):
            self._note(row)
            if row.purse_id is not None and row.purse_id in missing:
                self._of_purse[row.purse_id].append(row)

    def fetch_accounts_by_id(self, account_ids: Iterable[int]) -> None:
        """Looks up those of these accounts that are not at hand, in one go."""
        for part in in_parts(number for number in account_ids if number not in self._by_id):
            for row in self._session.scalars(select(AccountRow).where(AccountRow.id.in_(part))):
                self._note(row)

    def post(self, transfers: Iterable[Transfer], booked_at: int) -> None:
        """Appends ``transfers`` in order; LedgerError when an account would be overdrawn."""
        transfers = list(transfers)
        if not transfers:
            return
        head = self._head()
        for transfer in transfers:
            self._append(head, transfer, booked_at)

    def balance(self, account: Account) -> int:
        """Cents in ``account``; 0 when it was never used."""
        row = self._find(account)
        return row.balance_cents if row else 0

    def row(self, account: Account) -> AccountRow:
        """The stored account, made when it is new."""
        row = self._find(account)
        if row is None:
            row = AccountRow(
                code=account.code, kind=account.kind, municipality_id=account.municipality,
                programme_id=account.programme, funding_source_id=account.funding_source,
                purse_id=account.purse, slot=account.slot, merchant_id=account.merchant,
                case_id=account.case, balance_cents=0,
            )  # fmt: skip
            self._session.add(row)
            self._session.flush()
            self._note(row)
            if account.purse in self._of_purse:
                self._of_purse[account.purse].append(row)
        return row

    def account(self, account_id: int) -> Account:
        """The account stored under ``account_id``."""
        if account_id not in self._values:
            if account_id not in self._by_id:
                self._note(self._session.get_one(AccountRow, account_id))
            self._values[account_id] = account_of(self._by_id[account_id])
        return self._values[account_id]

    def present_accounts(self, purse: int, slot: int) -> list[tuple[Account, int]]:
        """Accounts of a slot that hold what is on the card, oldest first, with balances."""
        self.fetch_accounts([purse], [])
        return [
            (account_of(row), row.balance_cents)
            for row in self._of_purse[purse]
            if row.slot == slot and row.kind in PRESENT_KINDS
        ]

    def balances(self) -> dict[Account, int]:
        """Every account with its balance."""
        return {account_of(row): row.balance_cents for row in self.rows()}

    def accounts_of_merchant(self, merchant: int, kind: AccountKind) -> dict[Account, int]:
        """A merchant's accounts of a kind with their balances, oldest first."""
        rows = self._session.scalars(
            select(AccountRow)
            .where(AccountRow.merchant_id == merchant, AccountRow.kind == kind)
            .order_by(AccountRow.id)
        )
        return {account_of(row): row.balance_cents for row in rows}

    def first_account(self, municipality: int) -> Account | None:
        """The oldest account of a town; None before its first transfer."""
        row = self._session.scalar(
            select(AccountRow)
            .where(AccountRow.municipality_id == municipality)
            .order_by(AccountRow.id)
            .limit(1)
        )
        return None if row is None else account_of(row)

    def rows(self) -> Sequence[AccountRow]:
        """Every stored account, oldest first."""
        return self._session.scalars(select(AccountRow).order_by(AccountRow.id)).all()

    def transfers(self, after: int = 0, limit: int = 1000) -> Sequence[TransferRow]:
        """Stored transfers after number ``after``, in order."""
        return self._session.scalars(
            select(TransferRow).where(TransferRow.id > after).order_by(TransferRow.id).limit(limit)
        ).all()

    def transfers_of(
        self, ref_kind: RefKind, ref_id: str, kind: TransferKind
    ) -> Sequence[TransferRow]:
        """Transfers of a kind that go back to one document, in order."""
        return self._session.scalars(
            select(TransferRow)
            .where(TransferRow.ref_kind == ref_kind, TransferRow.ref_id == ref_id)
            .where(TransferRow.kind == kind)
            .order_by(TransferRow.id)
        ).all()

    def head(self) -> tuple[int, bytes]:
        """Number and hash of the last transfer; 0 and zeros before the first."""
        head = self._find_head()
        return (head.transfer_id, head.hash) if head else (0, FIRST_PREV_HASH)

    def _find_head(self) -> LedgerHeadRow | None:
        if self._last is None:
            with self._session.no_autoflush:
                self._last = self._session.get(LedgerHeadRow, HEAD_ID)
        return self._last

    def _head(self) -> LedgerHeadRow:
        head = self._find_head()
        if head is None:
            head = self._last = LedgerHeadRow(id=HEAD_ID, transfer_id=0, hash=FIRST_PREV_HASH)
            self._session.add(head)
        return head

    def _append(self, head: LedgerHeadRow, transfer: Transfer, booked_at: int) -> None:
        source, target = self.row(transfer.source), self.row(transfer.target)
        number, prev_hash = head.transfer_id + 1, head.hash
        digest = transfer_hash(prev_hash, number, booked_at, transfer)
        source.balance_cents -= transfer.money.cents
        target.balance_cents += transfer.money.cents
        if source.balance_cents < 0 and not transfer.source.may_be_negative:
            raise LedgerError("ACCOUNT_OVERDRAWN", account=source.code, cents=source.balance_cents)
        self._session.add(
            TransferRow(
                id=number, kind=transfer.kind, source_id=source.id, target_id=target.id,
                cents=transfer.money.cents, currency=transfer.money.currency,
                event_time=transfer.event_time, booked_at=booked_at,
                ref_kind=transfer.ref.kind, ref_id=transfer.ref.id,
                prev_hash=prev_hash, hash=digest,
            )
        )  # fmt: skip
        head.transfer_id, head.hash = number, digest

    def _find(self, account: Account) -> AccountRow | None:
        code = account.code
        if code not in self._rows and account.purse not in self._of_purse:
            with self._session.no_autoflush:  # what this unit has opened is at hand
                self._rows[code] = self._session.scalar(_BY_CODE, {"code": code})
        return self._rows.get(code)

    def _note(self, row: AccountRow) -> None:
        self._rows[row.code] = self._by_id[row.id] = row


def account_of(row: AccountRow) -> Account:
    """The account that ``row`` stores."""
    return Account(
        kind=AccountKind(row.kind), municipality=row.municipality_id, programme=row.programme_id,
        funding_source=row.funding_source_id, purse=row.purse_id, slot=row.slot,
        merchant=row.merchant_id, case=row.case_id,
    )  # fmt: skip
