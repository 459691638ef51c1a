"""Merchants, terminals, enrolment codes, nonces, bundles."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.adapters.repositories.seen import Seen
from backend.adapters.tables.terminals import (
    BundleRow,
    EnrolmentCodeRow,
    MerchantProgrammeRow,
    MerchantRow,
    NonceRow,
    TerminalRow,
)
from backend.errors import UnknownError

_BY_NUMBER = select(TerminalRow).where(TerminalRow.number == bindparam("number"))
_KEY = select(TerminalRow.number, TerminalRow.public_key, TerminalRow.state).where(
    TerminalRow.kid == bindparam("kid")
)
_NEW_NONCE = insert(NonceRow)
_OLD_NONCES = delete(NonceRow).where(NonceRow.expires_at < bindparam("now"))
_NEWEST_BUNDLE = select(BundleRow).order_by(BundleRow.version.desc()).limit(1)
_NEWEST_ISSUE = _NEWEST_BUNDLE.with_only_columns(BundleRow.version, BundleRow.hotlist_hash)


class Terminals:
    """Who may send us entries, and on whose behalf."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._terminals = Seen[int, TerminalRow](session, lambda row: row.number)
        self._enabled = Seen[tuple[int, int], MerchantProgrammeRow](
            session, lambda row: (row.merchant_id, row.programme_id)
        )
        self._enabled_of: set[int] = set()
        """Merchants of whom every permission is at hand."""

    def note(self, row: object) -> None:
        """``row`` is being stored by this unit."""
        match row:
            case TerminalRow():
                self._terminals.note(row)
            case MerchantProgrammeRow():
                self._enabled.note(row)

    def fetch(self, numbers: Iterable[int]) -> None:
        """Looks up terminals, in one go."""
        self._terminals.fetch(
            numbers,
            lambda missing: self._session.scalars(
                select(TerminalRow).where(TerminalRow.number.in_(missing))
            ),
        )

    def merchant(self, merchant_id: int) -> MerchantRow:
        """By id; UnknownError ``MERCHANT_UNKNOWN``."""
        row = self._session.get(MerchantRow, merchant_id)
        if row is None:
            raise UnknownError("MERCHANT_UNKNOWN", merchant=merchant_id)
        return row

    def merchants(self) -> Sequence[MerchantRow]:
        """All, by id."""
        return self._session.scalars(select(MerchantRow).order_by(MerchantRow.id)).all()

    def enabled(self, merchant_id: int, programme_id: int) -> MerchantProgrammeRow | None:
        """The permission of a merchant for a programme."""
        key = merchant_id, programme_id
        looked_up = merchant_id in self._enabled_of
        return self._enabled.find(
            key, lambda: None if looked_up else self._session.get(MerchantProgrammeRow, key)
        )

    def fetch_enabled(self, merchant_ids: Collection[int]) -> None:
        """Looks up every permission of these merchants, in one go."""
        missing = [number for number in merchant_ids if number not in self._enabled_of]
        if not missing:
            return
        self._enabled_of.update(missing)
        where = MerchantProgrammeRow.merchant_id.in_(missing)
        for row in self._session.scalars(select(MerchantProgrammeRow).where(where)):
            self._enabled.note(row)

    def find(self, number: int) -> TerminalRow | None:
        """By number."""
        return self._terminals.find(
            number, lambda: self._session.scalar(_BY_NUMBER, {"number": number})
        )

    def terminal(self, number: int) -> TerminalRow:
        """As above; UnknownError ``TERMINAL_UNKNOWN``."""
        row = self.find(number)
        if row is None:
            raise UnknownError("TERMINAL_UNKNOWN", terminal=number)
        return row

    def find_by_key(self, public_key: bytes) -> TerminalRow | None:
        """By public key."""
        return self._session.scalar(select(TerminalRow).where(TerminalRow.public_key == public_key))

    def key_of(self, kid: bytes) -> tuple[int, bytes, str] | None:
        """Number, public key and state, by the first eight bytes of SHA-256 of the key."""
        found = self._session.execute(_KEY, {"kid": kid}).first()
        return None if found is None else (found.number, found.public_key, found.state)

    def all(self) -> Sequence[TerminalRow]:
        """All, by number."""
        return self._session.scalars(select(TerminalRow).order_by(TerminalRow.number)).all()

    def next_number(self) -> int:
        """The number of the next enrolment."""
        return 1 + int(self._session.scalar(select(func.max(TerminalRow.number))) or 0)

    def enrolment_code(self, code_hash: bytes) -> EnrolmentCodeRow | None:
        """By the SHA-256 of the code."""
        return self._session.get(EnrolmentCodeRow, code_hash)

    def use_nonce(self, key_id: str, nonce: str, expires_at: int) -> bool:
        """Notes the nonce of a request; False when one with it came before: nothing of the unit
        can be stored any more then."""
        named = {"key_id": key_id, "nonce": nonce, "expires_at": expires_at}
        try:
            self._session.execute(_NEW_NONCE, named)
        except IntegrityError:
            return False
        return True

    def forget_nonces(self, now: int) -> None:
        """Drops nonces that no clock tolerance would let in again."""
        self._session.execute(_OLD_NONCES, {"now": now})

    def newest_issue(self) -> tuple[int, bytes] | None:
        """Version and hash of the hotlist of the bundle published last, without its bytes."""
        found = self._session.execute(_NEWEST_ISSUE).first()
        return None if found is None else (found.version, found.hotlist_hash)

    def newest_bundle(self) -> BundleRow | None:
        """The bundle published last."""
        return self._session.scalar(_NEWEST_BUNDLE)
