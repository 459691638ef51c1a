"""The books' side of a personalisation: stock, the purse, its PIN letter.

A stock card gets one purse, chosen once and kept (number, PIN, PUK, first record)
until the receipt: a torn session is followed by one that goes on with the same. What
was secret is erased from the database when the card has proved the purse.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from cryptography import x509

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.sessions import CardSessionRow
from backend.adapters.unit_of_work import Unit
from backend.domain.personalisation import NewPurse, check_declared, check_holder, new_purse
from backend.errors import ConflictError
from backend.services.card_sessions.desk import Done, claim_purse, serves
from backend.services.verdicts.card_records import learn_attested
from backend.services.verdicts.judgement import judge_purse
from cardlib.calendar import day_at
from cardlib.codec.files import PurseChip
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info, Spend
from cardlib.dialogues.blank_card import BlankCard
from cardlib.dialogues.personalise import PursePlan, Receipt, TransportKeys, personalise
from cardlib.dialogues.volley import Dialogue
from cardlib.errors import PurseRefusedError
from cardlib.keys.derivation import PurseKeys
from cardlib.ports import Randomness
from cardlib.wire import cbor
from cardlib.wire.fields import Fields
from cardlib.wire.ids import PurseId

_WHAT = "purse plan"
LEGACY_STOCK = "white-legacy"
"""Chips that cannot attest what a load must know: no purse of ours is made on them."""
_CHIPS = {"white-applet": PurseChip.APPLET}
"""Chips of stock kinds that are no file cards."""


class PinLetters(Protocol):
    """Where PIN and PUK of a new purse go: into a sealed letter, and nowhere else."""

    def issue(self, purse: PurseId, serial: str, pin: str, puk: str) -> None:
        """Keeps the letter; the same one again changes nothing."""
        ...

    def reissue(self, purse: PurseId, serial: str, pin: str) -> None:
        """Keeps a letter with a new PIN, in the place of an earlier one; the PUK stays."""
        ...


class PersonaliseDesk:
    """Implements ``cardlib.dialogues.personalise.PersonalisationAuthority``.

    Reference: the serial of a stock card, for a CRS optionally followed by ``/`` and
    the codice fiscale of the person whom the official has before him.
    """

    def __init__(
        self,
        unit: Unit,
        row: CardSessionRow,
        keys: KeyStore,
        now: int,
        randomness: Randomness,
        letters: PinLetters,
        authorities: Sequence[x509.Certificate],
    ) -> None:
        self.replaying = True
        self._keys = keys
        self._letters = letters
        self._authorities = authorities
        self._randomness = randomness
        self.move_to(unit, row, now)

    def move_to(self, unit: Unit, row: CardSessionRow, now: int) -> None:
        """Goes on in another transaction: nothing that the old one read is used again."""
        self._unit = unit
        self._row = row
        self._now = now
        serial, _, self._declared = row.reference.partition("/")
        self._stock = unit.cards.stock_card(serial)

    def dialogue(self, randomness: Randomness) -> Dialogue[Receipt]:
        """The personalisation."""
        return personalise(self, randomness)

    def plan(self, card: BlankCard) -> PursePlan:
        """The card's one purse, made and stored when there is none yet."""
        if self._row.plan is None:
            self._check(card)
            purse = self._begun() or self._begin()
            self._check_others(card, purse)
            self._row.plan = encode_purse(purse)
        return self._purse_plan(decode_purse(self._row.plan))

    def finish(self, receipt: Receipt) -> Done:
        """The card has proved its purse: evidence, letter, and secrets erased."""
        purse = self._purse_row()
        init = receipt.init
        assert init.spend is not None
        assert self._row.plan is not None
        new = decode_purse(self._row.plan)
        learn_attested(
            self._unit, purse, init.read, init.spend, "card_session", self._row.id, self._now
        )
        judge_purse(self._unit, purse, self._now)
        number = PurseId(new.info.issuer, new.info.purse)
        self._letters.issue(number, self._stock.serial, new.pin, new.puk)
        self._stock.state = "personalised"
        for session in self._unit.cards.sessions_of(purse.id):
            if session.purpose == self._row.purpose:
                session.plan, session.seed = None, b""
        return Done("PURSE_MADE", 0)

    def _check(self, card: BlankCard) -> None:
        """ConflictError or NotGenuineError unless this is the stock card, and fit for a purse."""
        if self._stock.state not in {"new", "in_session"}:
            raise ConflictError("STOCK_CARD_USED", serial=self._stock.serial)
        if card.serial != self._stock.serial:
            raise ConflictError("STOCK_CARD_DIFFERS", serial=self._stock.serial)
        if not serves(self._unit, self._row, self._stock.municipality.issuer):
            raise PurseRefusedError("PURSE_NOT_SERVED")
        if self._stock.kind == LEGACY_STOCK:
            raise ConflictError("STOCK_CARD_LEGACY", serial=self._stock.serial)
        if bool(card.certificate) != (self._stock.kind == "crs"):
            raise ConflictError("STOCK_CARD_DIFFERS", serial=self._stock.serial)
        if card.certificate:
            now = datetime.fromtimestamp(self._now, UTC)
            holder = check_holder(card, self._authorities, now)
            if self._declared:
                check_declared(holder, self._declared)

    def _check_others(self, card: BlankCard, purse: NewPurse) -> None:
        """One purse per town on a card."""
        ours = [info for info in card.purses if info.issuer == purse.info.issuer]
        if any(info != purse.info for info in ours):
            raise ConflictError("CARD_HAS_PURSE")

    def _begun(self) -> NewPurse | None:
        """What an earlier session chose for this card."""
        if self._stock.purse_id is None:
            return None
        claim_purse(self._unit, self._row, self._stock.purse_id, self._now)
        for session in self._unit.cards.sessions_of(self._stock.purse_id):
            if session.plan is not None and session.purpose == self._row.purpose:
                return decode_purse(session.plan)
        raise ConflictError("STOCK_CARD_USED", serial=self._stock.serial)

    def _begin(self) -> NewPurse:
        municipality = self._stock.municipality
        new = new_purse(
            municipality.issuer, municipality.key_set, self._randomness, day_at(self._now),
            self._now, self._stock.suite,
        )  # fmt: skip
        self._keys_of(new.info)  # refused here, a weak key costs a number and nothing else
        row = PurseRow(
            municipality_id=municipality.id, number=new.info.purse, info_core=new.info.core,
            state="active", created_at=self._now,
        )  # fmt: skip
        self._unit.add(row)
        claim_purse(self._unit, self._row, row.id, self._now)
        self._stock.purse_id, self._stock.state = row.id, "in_session"
        return new

    def _purse_plan(self, new: NewPurse) -> PursePlan:
        transport = self._keys.transport_keys(self._stock.serial)
        return PursePlan(
            info=new.info,
            keys=self._keys_of(new.info),
            transport=TransportKeys(transport.command, transport.response, transport.encipher),
            pin=Pin(new.pin),
            puk=Pin(new.puk),
            init=new.init,
            chip=_CHIPS.get(self._stock.kind, PurseChip.FILE),
        )

    def _keys_of(self, info: Info) -> PurseKeys:
        """AuthenticityError ``PURSE_KEY_WEAK`` for a number that must not be used."""
        return PurseKeys.derive(self._keys.masters(info.issuer, info.key_set), info)

    def _purse_row(self) -> PurseRow:
        assert self._row.purse_id is not None
        return self._unit.cards.purse_by_id(self._row.purse_id)


def encode_purse(purse: NewPurse) -> bytes:
    """CBOR map: 1 EF.INFO (17), 2 PIN, 3 PUK, 4 the init record in clear (46)."""
    return cbor.encode({1: bytes(purse.info), 2: purse.pin, 3: purse.puk, 4: bytes(purse.init)})


def decode_purse(data: bytes) -> NewPurse:
    """Reads what :func:`encode_purse` wrote."""
    fields = Fields.decode(data, _WHAT)
    info = Info.decode(fields.bytes(1))
    purse = NewPurse(info, fields.text(2), fields.text(3), Spend.decode(fields.bytes(4)))
    fields.end()
    return purse
