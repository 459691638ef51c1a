"""Stock cards taken over, and load orders approved: nothing reaches a card without one."""

import json
from dataclasses import dataclass

from backend.adapters.key_store import KeyStore, TransportKeys
from backend.adapters.tables.cards import LoadOrderRow, PurseRow, StockCardRow
from backend.adapters.unit_of_work import Unit
from backend.domain.amounts import check_amount
from backend.domain.issuers import issuer_code
from backend.domain.people import check_two_people
from backend.domain.states import STANDING, PurseState
from backend.errors import BadInputError, ConflictError
from backend.services.administration.funds import check_award
from backend.services.unit_of_work import Work
from cardlib.codec.purse import SLOTS, Suite
from cardlib.ports import Clock
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money

STOCK_FORMAT = "borsellino-stock"
STOCK_VERSION = 1


@dataclass(frozen=True, slots=True)
class LoadOrderOffice:
    """The use cases; people are named by whoever calls."""

    work: Work
    keys: KeyStore
    clock: Clock

    def import_stock(self, issuer: str, text: str) -> str:
        """Takes over a stock file for a municipality's cards; the card's serial.

        The same file again changes nothing. BadInputError ``STOCK_FILE_BAD``;
        ConflictError ``STOCK_CARD_OTHER`` when other keys are known for the serial.
        """
        serial, kind, suite, keys = _read_stock(text)
        with self.work.begin() as unit:
            town = unit.programmes.municipality(issuer_code(issuer))
            known = unit.cards.find_stock_card(serial)
            if known is None:
                self.keys.add_transport_keys(serial, keys)
                unit.add(
                    StockCardRow(
                        serial=serial, kind=kind, suite=suite, municipality_id=town.id,
                        imported_at=self.clock.unix_ms() // 1000,
                    )
                )  # fmt: skip
            elif known.municipality_id != town.id:
                raise ConflictError("STOCK_CARD_OTHER", serial=serial)
            unit.commit()
        return serial

    def approve(
        self, award: int, purse: PurseId, amount: Money, *, requested_by: str, approved_by: str
    ) -> int:
        """Orders ``amount`` of an award onto a purse, in its programme's slot; the order's id.

        NotPermittedError ``SAME_PERSON``; ConflictError ``AWARD_TOO_SMALL``,
        ``PURSE_OF_OTHER_TOWN``, ``PURSE_SLOTS_FULL``, ``PURSE_NOT_ACTIVE``.
        """
        check_two_people(requested_by, approved_by)
        check_amount(amount)
        with self.work.begin() as unit:
            source, row = unit.programmes.award(award), unit.cards.purse(purse)
            if source.programme.municipality_id != row.municipality_id:
                raise ConflictError("PURSE_OF_OTHER_TOWN", purse=str(purse))
            if row.state != PurseState.ACTIVE:
                raise ConflictError("PURSE_NOT_ACTIVE", purse=str(purse))
            check_award(unit, source, amount.cents)
            order = LoadOrderRow(
                purse_id=row.id, slot=_slot_for(unit, row, source.programme_id),
                programme_id=source.programme_id, funding_source_id=source.funding_source_id,
                award_id=source.id, source_id=source.id, delta_cents=amount.cents,
                requested_by=requested_by, approved_by=approved_by,
                approved_at=self.clock.unix_ms() // 1000,
            )  # fmt: skip
            unit.add(order)
            unit.commit()
            return order.id


def _slot_for(unit: Unit, purse: PurseRow, programme: int) -> int:
    """The slot that the programme has on this purse, else the lowest free one."""
    taken: dict[int, int] = {}
    for order in unit.cards.orders_of(purse.id, *STANDING):
        taken[order.programme_id] = order.slot
    for account in unit.acts.blocked_for(purse.id):  # the rest of a card that this one replaces
        taken.setdefault(account.programme or 0, account.slot or 0)
    if programme in taken:
        return taken[programme]
    free = [slot for slot in range(1, SLOTS + 1) if slot not in taken.values()]
    if not free:
        raise ConflictError("PURSE_SLOTS_FULL")
    return free[0]


def _read_stock(text: str) -> tuple[str, str, Suite, TransportKeys]:
    """Serial, kind, suite and transport keys."""
    try:
        fields = json.loads(text)
        if (fields["format"], fields["version"]) != (STOCK_FORMAT, STOCK_VERSION):
            raise BadInputError("STOCK_FILE_BAD")
        keys = [bytes.fromhex(fields["transport_keys"][name]) for name in ("0A", "0B", "0C")]
        serial, kind, suite = str(fields["serial"]), str(fields["kind"]), Suite(fields["suite"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError("STOCK_FILE_BAD") from error
    if any(len(key) != 16 for key in keys):
        raise BadInputError("STOCK_FILE_BAD")
    return serial, kind, suite, TransportKeys(*keys)
