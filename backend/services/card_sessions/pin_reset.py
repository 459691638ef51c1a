"""The books' side of a PIN reset: a new PIN is chosen once, kept, and sent in a letter.

Reference: ``PERSON``, who has checked whose card it is, and ``PERSON/PURSE`` when there are
several purses on it. The letter is there before the
command leaves, since from then on the card may hold the new PIN.
"""

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.sessions import CardSessionRow
from backend.adapters.unit_of_work import Unit
from backend.domain.claim_window import DAY_S
from backend.domain.personalisation import PIN_DIGITS, random_digits
from backend.errors import BadInputError, ConflictError
from backend.services.card_sessions.desk import Done, claim_purse, serves
from backend.services.card_sessions.personalise import PinLetters
from backend.services.keys.purse_keys import purse_keys
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info
from cardlib.dialogues.pin_reset import PinReset, reset_pin
from cardlib.dialogues.volley import Dialogue
from cardlib.ports import Randomness
from cardlib.wire.ids import PurseId

RESETS_A_DAY = 5
"""Of one purse, torn ones too: 15 guesses at a PIN of five digits."""


class PinResetDesk:
    """Implements ``cardlib.dialogues.pin_reset.PinResetAuthority`` on a unit of work."""

    def __init__(
        self, unit: Unit, row: CardSessionRow, keys: KeyStore, now: int, randomness: Randomness,
        letters: PinLetters,
    ) -> None:  # fmt: skip
        self.replaying = True
        self._keys = keys
        self._randomness = randomness
        self._letters = letters
        self.move_to(unit, row, now)
        person, _, self._wanted = row.reference.partition("/")
        self._person = person.strip()
        if not self._person:
            raise BadInputError("PIN_RESET_BY_NOBODY")

    def move_to(self, unit: Unit, row: CardSessionRow, now: int) -> None:
        """Goes on in another transaction: nothing that the old one read is used again."""
        self._unit = unit
        self._row = row
        self._now = now

    def dialogue(self, randomness: Randomness) -> Dialogue[Info]:
        """The reset."""
        return reset_pin(self, randomness)

    def reset(self, info: Info) -> PinReset | None:
        """A PIN for this purse, the same one for the whole session."""
        ours = self._unit.programmes.find_municipality(info.issuer) is not None
        if not ours or not serves(self._unit, self._row, info.issuer):
            return None
        if self._wanted not in ("", str(_id(info))):
            return None
        purse = self._unit.cards.purse(PurseId(info.issuer, info.purse))
        if self._row.plan is None:
            if purse.state != "active":
                raise ConflictError("PURSE_NOT_ACTIVE", purse=str(_id(info)))
            if purse.hotlisted_at is not None:
                raise ConflictError("PURSE_HOTLISTED")
            claim_purse(self._unit, self._row, purse.id, self._now)
            self._forget_earlier(purse.id)
            self._row.person = self._person
            self._row.plan = random_digits(self._randomness, PIN_DIGITS).encode()
        change = self._unit.key_sets.open_change(purse.id)
        old = Info.from_core(purse.info_core if change is None else change.old_core)
        new = None if change is None else purse_keys(self._keys, Info.from_core(change.new_core))
        digits = self._row.plan.decode()
        if not self.replaying:
            self._letters.reissue(_id(info), self._serial(purse.id), digits)
        return PinReset(purse_keys(self._keys, old), Pin(digits), new)

    def finish(self, _info: Info) -> Done:
        """The card has confirmed it."""
        return Done("PIN_RESET", 0)

    def _forget_earlier(self, purse_id: int) -> None:
        """Their PINs; ConflictError when they were too many.

        Every reset gives the tries back: whoever has a station could go on guessing.
        """
        since, resets = self._now - DAY_S, 0
        for row in self._unit.cards.sessions_of(purse_id):
            if row.purpose != "pin" or row.person is None:
                continue
            row.plan, row.seed = None, b""  # of a session that nobody went on with
            resets += row.created_at > since
        if resets >= RESETS_A_DAY:
            raise ConflictError("PIN_RESET_TOO_OFTEN")

    def _serial(self, purse_id: int) -> str:
        card = self._unit.cards.stock_card_of(purse_id)
        return "" if card is None else card.serial


def _id(info: Info) -> PurseId:
    return PurseId(info.issuer, info.purse)
