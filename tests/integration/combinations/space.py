"""Every combination: tried, or shown to be impossible by what the card itself says.

Mask, suite, driver, module and protocol are not independent: the answer to reset says
which protocols a card speaks, and a driver is for one kind of chip. Whatever is said to be
impossible here is asked of the card: its ATR, or the one command that the driver needs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cardlib.channel import Channel
from cardlib.codec.apdu import Command
from cardlib.codec.applet import initialise
from cardlib.codec.atr import Atr
from cardlib.codec.commands import (
    choose_answer_key,
    get_challenge,
    internal_authenticate,
    select_purse,
    verify_pin,
)
from cardlib.codec.files import DF_BUONO_FIRST, EF_SPEND_APPEND_P2, KeyId
from cardlib.codec.pin import Pin
from cardlib.codec.purse import FLAG_ATTESTATION
from cardlib.connection import CardConnection
from cardlib.dialogues.secured import SecuredWriter
from cardlib.drivers.applet_card import AppletCard
from cardlib.errors import CardAnswerError, CodedError
from cardlib.keys import records
from cardlib.keys.suites import suite_of
from simulator.card.masks import MASKS
from simulator.card.traits import PurseKind
from simulator.connection import InProcessConnection
from terminal.receipts import render
from tests.integration.combinations.cards import issued, kind_of
from tests.integration.combinations.shops import MODULES, Shops
from tests.integration.terminal.stage import PIN, Customer, StageCard, assert_books, blank_spend

SUITES = (1, 2)
PROTOCOLS = (0, 1)
DRIVERS = tuple(PurseKind)
PRICE = 12_50
RANDOM = bytes(8)


@dataclass(frozen=True, slots=True)
class Combination:
    """One of them."""

    mask: str
    suite: int
    driver: PurseKind
    module: str
    protocol: int


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale that was made: what it took, and whether the card attested it."""

    commands: int
    size: int
    attested: bool

    def __str__(self) -> str:
        proof = "" if self.attested else ", oracle"
        return f"{self.commands} commands, {self.size} B{proof}"


@dataclass(frozen=True, slots=True)
class Impossible:
    """Why it cannot be."""

    reason: str

    def __str__(self) -> str:
        return self.reason


Outcome = Sold | Impossible


def combinations() -> Iterator[Combination]:
    """All of them, masks first."""
    for mask in MASKS:
        for suite in SUITES:
            for driver in DRIVERS:
                for module in MODULES:
                    for protocol in PROTOCOLS:
                        yield Combination(mask, suite, driver, module, protocol)


class Trial:
    """Tries combinations, each with a card of its own; what a chip says is asked once."""

    def __init__(self, shops: Shops) -> None:
        self._shops = shops
        self._number = 0
        self._reasons: dict[tuple[str, PurseKind], str] = {}

    def outcome(self, wanted: Combination) -> Outcome:
        """A sale from the personalisation to the receipt, or why there is none."""
        protocols = Atr.decode(MASKS[wanted.mask].atr).protocols
        if wanted.protocol not in protocols:
            return Impossible(f"its ATR offers {' and '.join(f'T={item}' for item in protocols)}")
        if wanted.driver is not kind_of(wanted.mask):
            return Impossible(self._refusal(wanted.mask, wanted.driver))
        self._number += 1
        try:
            card = issued(self._shops.stage, wanted.mask, wanted.suite, self._number)
            return sell(self._shops, card, wanted, card.plug())
        except CardAnswerError as error:
            told = f"{error.facts['command']} is answered {error.facts['status']}"
            return Impossible(f"no purse of suite {wanted.suite}: {told}")
        except CodedError as error:
            return Impossible(f"refused: {error.code}")

    def _refusal(self, mask: str, driver: PurseKind) -> str:
        key = mask, driver
        if key not in self._reasons:
            self._number += 1
            self._reasons[key] = refusal(issued(self._shops.stage, mask, 1, self._number), driver)
        return self._reasons[key]


def sell(shops: Shops, card: StageCard, wanted: Combination, connection: CardConnection) -> Sold:
    """A sale at the shop with that module, its receipt, and the books."""
    till = shops.tills[wanted.module]
    shop = Customer(till, connection)
    assert isinstance(shop.card, AppletCard) == (wanted.driver is PurseKind.APPLET)
    result = shop.buy(PRICE)
    assert result.goods_are_due, result
    assert result.closing is not None
    assert "12,50" in render(shop.counter.receipt(result.closing), "it")
    assert card.newest().spent[0] == PRICE
    assert_books(card, till)
    attested = getattr(result.closing.body, "tc", None) is not None
    attested = attested and bool(card.info.flags & FLAG_ATTESTATION)
    return Sold(len(shop.trace), sum(item.size for item in shop.trace), attested)


def refusal(card: StageCard, driver: PurseKind) -> str:
    """What the chip answers to the command without which ``driver`` cannot work."""
    channel = Channel(InProcessConnection(card.card))
    channel.send(select_purse(DF_BUONO_FIRST))
    name, command = _PROBES[driver]
    if driver is PurseKind.FILE and kind_of(card.card.memory.mask) is PurseKind.APPLET:
        name, command = "UPDATE RECORD of EF.SPEND", _update(channel, card)
    answer = channel.send(command)
    assert not answer.ok, f"{card.card.memory.mask} could be driven as {driver}"
    return f"{name} is answered {answer.status:04X}"


def _update(channel: Channel, card: StageCard) -> Command:
    """A good UPDATE RECORD, as the file driver would send it."""
    keys = card.keys.debit
    channel.send(verify_pin(Pin(PIN)))
    writer = SecuredWriter(suite_of(card.info.suite), keys.command, keys.response, _Zeros())
    writer.challenged(channel.send(get_challenge()))
    channel.send(writer.fresh_random())
    record = records.seal_spend(keys.record, blank_spend())
    return writer.secured(Command(0x00, 0xDC, 0, EF_SPEND_APPEND_P2, record))


class _Zeros:
    def bytes(self, count: int) -> bytes:
        return bytes(count)


_PROBES = {
    PurseKind.FILE: ("MSE SET of the answer key", choose_answer_key(KeyId.ATTEST)),
    PurseKind.APPLET: ("INITIALISE FOR DEBIT", initialise(RANDOM)),
    PurseKind.LEGACY: ("INTERNAL AUTHENTICATE", internal_authenticate(RANDOM)),
}
