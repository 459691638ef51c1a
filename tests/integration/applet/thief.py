"""Somebody with the keys of a shop, a card at hand and its PIN, and no till to hold him back."""

from dataclasses import replace

from cardlib.codec.apdu import Command, Response
from cardlib.codec.applet import (
    CHALLENGE_PADDED,
    AppletState,
    DebitOrder,
    InitialiseAnswer,
    initialise,
)
from cardlib.codec.commands import get_challenge, give_random, select_purse, verify_pin
from cardlib.codec.files import EF_SPEND_APPEND_P2
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Spend, SpendType
from cardlib.codec.tlv import Tlv
from cardlib.keys import records, secure_messaging
from cardlib.keys.intent_rule import PREV_SIZE, record_hash
from cardlib.keys.soft_applet import decipher_state
from cardlib.keys.suites import suite_of
from tests.integration.terminal.stage import PIN, StageCard

RANDOM = bytes(range(8))
TERMINAL = 666


class Thief:
    """Writes what he likes, as far as the chip lets him; each write is a new insertion."""

    def __init__(self, card: StageCard) -> None:
        self._card = card
        self._keys = card.keys.debit
        self._suite = suite_of(card.info.suite)

    def following(self, **changes: object) -> Spend:
        """The record after the newest one, with ``changes``."""
        newest = self._card.newest()
        prev = record_hash(self._card.spend_file.records[0])[:PREV_SIZE]
        after = replace(
            newest, type=SpendType.SALE, ctr=newest.ctr + 1, intent_hash=bytes([0x66]) * 8,
            terminal=TERMINAL, seq=newest.ctr + 1, prev=prev,
        )  # fmt: skip
        return replace(after, **changes)  # type: ignore[arg-type]

    def with_totals(self, first: int, **changes: object) -> Spend:
        """The same with another total of slot 1."""
        return self.following(spent=(first, *self._card.newest().spent[1:]), **changes)

    def update_record(self, spend: Spend) -> int:
        """UPDATE RECORD of EF.SPEND under K_DC; the card's status word."""
        self._begin()
        challenge = self._send(get_challenge()).data
        self._send(give_random(RANDOM))
        self._send(verify_pin(Pin(PIN)))
        record = records.seal_spend(self._keys.record, spend)
        plain = Command(0x00, 0xDC, 0, EF_SPEND_APPEND_P2, record)
        command = secure_messaging.protect(self._suite, self._keys.command, challenge, plain)
        return self._send(command).status

    def debit(self, spend: Spend, cents: dict[int, int], *, pin: bool = True) -> Response:
        """DEBIT of ``cents`` by slot, its MAC over the record that ``spend`` would be."""
        self._begin()
        challenge, _ = self.look()
        if pin:
            self._send(verify_pin(Pin(PIN)))
        order = DebitOrder(
            spend.type, cents, spend.intent_hash, spend.terminal, spend.seq, spend.time,
            spend.day_spent,
        )  # fmt: skip
        record = bytes(Tlv(0x81, records.seal_spend(self._keys.record, spend)))
        padded = challenge.ljust(CHALLENGE_PADDED, b"\x00")
        code = secure_messaging.mac(self._suite, self._keys.command, padded, order.header, record)
        return self._send(order.command(code))

    def look(self) -> tuple[bytes, AppletState]:
        """INITIALISE: the challenge, and the state in clear."""
        answer = InitialiseAnswer.decode(self._send(initialise(RANDOM)).data)
        clear = decipher_state(self._keys.record, answer, RANDOM)
        return answer.challenge, AppletState.decode(clear)

    def _begin(self) -> None:
        self._line = self._card.plug()
        self._send(select_purse(0xB001))

    def _send(self, command: Command) -> Response:
        return Response.decode(self._line.transmit(bytes(command)))
