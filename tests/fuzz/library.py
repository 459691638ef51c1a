"""Fuzzes the library: whatever a card answers, a named error or a right result.

A round lets one target talk to a card that lies (``lies``). Every exception must be one of
ours, with a sentence in both languages; and what carries a MAC is never believed when it
should not be: a till's view is the card's truth, a confirmed debit is on the card, a debit
that raised has not happened, a certificate that verifies is for what the card stores.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random

from cardlib.channel import Channel
from cardlib.codec.files import EF_SPEND
from cardlib.codec.pin import Pin
from cardlib.codec.purse import FLAG_ATTESTATION, FLAG_PIN_ENFORCED
from cardlib.dialogues import pin as pin_dialogues
from cardlib.dialogues.blank_card import look
from cardlib.dialogues.inspect import inspect_card, read_log
from cardlib.dialogues.load import CardState, GrantWrite, LoadPlan, ReadDown, load
from cardlib.dialogues.personalise import PursePlan, TransportKeys, personalise
from cardlib.dialogues.purse_state import PurseState
from cardlib.dialogues.sale import CommitOutcome
from cardlib.drivers.card_module import CardModule
from cardlib.drivers.file_card import FileCard
from cardlib.drivers.purse_card import PurseCard
from cardlib.errors import CodedError
from cardlib.keys.attestation import is_genuine
from cardlib.text.catalogue import explain
from cardlib.text.catalogue import load as catalogue
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import DebitMaster
from cardlib.wire.entry_body import Intent
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import (
    GENERIC_T0,
    TRAINING_TRANSPORT_KEYS,
    WHITE,
    WHITE_APPLET,
    WHITE_LEGACY,
)
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.module_card import memory as module_memory
from simulator.module_card.card import ModuleCard
from terminal.till import Till
from tests.fuzz.dialogues import NEW, OLD, RELOAD, blank, stage, with_purse
from tests.fuzz.finding import FindingError
from tests.fuzz.lies import Liar
from tests.integration.terminal.stage import ISSUER, KEY_SET, PIN, Customer, StageCard
from tests.module_cards import PIN as MODULE_PIN
from tests.module_cards import Slot, ready_memory
from tests.unit.cardlib.dialogues.purse_bench import (
    INFO,
    KEYS,
    NotingAuthority,
    grants_on,
    init_spend,
    sealed,
)
from tests.unit.cardlib.dialogues.test_personalise import FixedPlan, is_complete

LANGUAGES = ("it", "en")
REQUEST = b'"@method": POST\n"@signature-params": ("@method");tag="borsellino"'


def play(seed: int, number: int) -> bool:
    """One round; whether the target came to a result in spite of a lie. Raises FindingError."""
    random = Random(f"library {seed} {number}")
    target = random.choice(targets())
    card = VirtualCard(image.decode(target.image), SeededRandomness(f"{seed} {number}"))
    liar = Liar(InProcessConnection(card), random, target.answers)
    where = f"library, seed {seed}, round {number}: {target.name}"
    try:
        target.talk(liar, card)
    except CodedError as error:
        _require_worded(error, where, liar)
        return False
    except FindingError as error:
        raise FindingError(str(error), where, liar.talk) from error
    except Exception as error:
        raise FindingError(f"{type(error).__name__}: {error}", where, liar.talk) from error
    return bool(liar.lies)


def _require_worded(error: CodedError, where: str, liar: Liar) -> None:
    for language in LANGUAGES:
        if error.code not in catalogue(language)["codes"] or "{" in explain(error, language):
            raise FindingError(f"no sentence for {error!r}", where, liar.talk) from error


@dataclass(frozen=True, slots=True)
class Target:
    """A card, what to talk about with it, and answers it has really given."""

    name: str
    image: bytes
    talk: Callable[[Liar, VirtualCard], None]
    answers: tuple[bytes, ...]


@cache
def targets() -> tuple[Target, ...]:
    """Everything that listens to a card."""
    return tuple(_noted(*item) for item in (*_sales(), *_others(), _with_module()))


def _noted(name: str, memory: Memory, talk: Callable[[Liar, VirtualCard], None]) -> Target:
    saved = image.encode(memory)
    card = VirtualCard(memory, SeededRandomness("honest"))
    honest = _Honest(InProcessConnection(card))
    talk(honest, card)
    return Target(name, saved, talk, tuple(answer for _, answer in honest.talk))


class _Honest(Liar):
    """Never lies: to hear what a card really says."""

    def __init__(self, inner: InProcessConnection) -> None:
        super().__init__(inner, Random(0), ())
        self._first, self._rate = -1, 0.0


# tills ------------------------------------------------------------------------------------------


@dataclass
class _Shop:
    """A till, a card, and the signed intent of one sale with this card as it is."""

    till: Till
    card: StageCard
    intent: bytes
    saved: bytes = field(repr=False)

    def driver(self, liar: Liar) -> PurseCard:
        return Customer(self.till, liar).card

    def sell(self, liar: Liar, card: VirtualCard) -> None:
        """Read, PIN, debit, certificate, as a till does it."""
        driver = self.driver(liar)
        before = ring(card)
        self.require_truth(driver.read(), card)
        self.require_truth(driver.read_all_wallets(), card)
        driver.verify_pin(Pin(PIN))
        try:
            outcome = driver.debit(self.intent)
        except CodedError:
            if ring(card) != before:
                raise FindingError("a debit that raised has happened", "", ()) from None
            raise
        written = self.till.module.record_of(self.intent)
        if outcome is CommitOutcome.COMMITTED and ring(card)[0] != written:
            raise FindingError("a debit was believed that is not on the card", "", ())
        read = driver.attest()
        genuine = read.tc is not None and is_genuine(
            self.card.keys.attest, self.card.info, 1, read.record, read.random, read.tc
        )
        if genuine and read.record != ring(card)[0]:
            raise FindingError("a certificate for a record that the card does not hold", "", ())

    def look_back(self, liar: Liar, card: VirtualCard) -> None:
        """What recovery does."""
        _, readings = self.driver(liar).read_back(0)
        for reading in readings:
            if reading.record != ring(card)[reading.index - 1]:
                raise FindingError("a record was believed that the card does not hold", "", ())

    def require_truth(self, state: PurseState, card: VirtualCard) -> None:
        """The view is the card's own."""
        if state.newest.record != ring(card)[state.newest.index - 1]:
            raise FindingError("a state was believed that the card is not in", "", ())
        if state.wallets and state.info.core != self.card.info.core:
            raise FindingError("grants were believed for another INFO core", "", ())
        for wallet in state.wallets.values():
            spent = state.spend.spent[wallet.slot - 1]
            if wallet.balance.cents != 100_00 - spent:
                raise FindingError("a balance was believed that is not there", "", ())


def ring(card: VirtualCard) -> list[bytes]:
    """EF.SPEND, newest first."""
    directory = card.memory.find((0x1200, 0xB001))
    file = directory.file_by_sfi(EF_SPEND.sfi) if directory else None
    assert file is not None
    return [bytes(record) for record in file.records]


SHOPS = ((WHITE, 1), (WHITE, 2), (WHITE_APPLET, 1), (GENERIC_T0, 1), (WHITE_LEGACY, 2))


def _sales() -> Iterator[tuple[str, Memory, Callable[[Liar, VirtualCard], None]]]:
    for number, (mask, suite) in enumerate(SHOPS, 1):
        shop = _shop(number, mask, suite)
        name = f"{mask}, suite {suite}"
        yield f"sale: {name}", image.decode(shop.saved), shop.sell
        yield f"recovery: {name}", image.decode(shop.saved), shop.look_back


def _with_module() -> tuple[str, Memory, Callable[[Liar, VirtualCard], None]]:
    """A module card that lies, and an honest purse: what it confirms is its own affair."""
    number = 9
    key = SigningKey(bytes([500 + number & 0xFF]) * 32)
    master = DebitMaster(ISSUER, KEY_SET, stage().masters.debit)
    memory = ready_memory(
        key, 500 + number, stage().operator, master, randomness=SeededRandomness("module")
    )
    saved = module_memory.encode(memory)
    shop = _shop(number, WHITE, 1)

    def talk(liar: Liar, card: VirtualCard) -> None:
        card_in_slot = ModuleCard(module_memory.decode(saved), SeededRandomness("module"))
        slot = liar.around(Slot(card_in_slot).connect())
        module = CardModule(lambda: slot, MODULE_PIN, key.public)
        driver = FileCard(Channel(InProcessConnection(card)), module, shop.till.trust)
        before = ring(card)
        driver.read()
        driver.verify_pin(Pin(PIN))
        module.record_of(shop.intent)
        try:
            driver.debit(shop.intent)
        except CodedError:
            if ring(card) != before:
                raise FindingError("a debit that raised has happened", "", ()) from None
            raise
        module.sign_request(REQUEST)
        module.describe()

    return "sale: with a module card", image.decode(shop.saved), talk


def _shop(number: int, mask: str, suite: int) -> _Shop:
    """The intent is that of a sale with a copy of the card."""
    attests = 0 if mask == WHITE_LEGACY else FLAG_ATTESTATION
    flags = FLAG_PIN_ENFORCED | attests
    card = stage().card(number=number, mask=mask, suite=suite, flags=flags)
    till = stage().till(500 + number)
    saved = image.encode(card.card.memory)
    result = Customer(till, card.plug()).buy(12_50)
    assert isinstance(result.intent.body, Intent)
    return _Shop(till, card, result.intent.complete, saved)


# backend, desk, doctor --------------------------------------------------------------------------


class _Ledger(NotingAuthority):
    """Notes whether what it was shown is what the card holds."""

    def __init__(self, card: VirtualCard) -> None:
        super().__init__(RELOAD)
        self._card = card

    def decide(self, state: CardState) -> LoadPlan | ReadDown:
        for spend in state.spends:
            if spend.record != ring(self._card)[spend.read.index - 1]:
                raise FindingError("an attested record that the card does not hold", "", ())
        held = {item.number: item.signed for item in state.grants if item.signed is not None}
        if held != {1: OLD}:
            raise FindingError("attested grants that the card does not hold", "", ())
        return super().decide(state)

    def granted(self, write: GrantWrite) -> None:
        if grants_on(self._card.memory).get(write.number) != NEW:
            raise FindingError("a receipt for a grant that is not on the card", "", ())

    def cleared(self, number: int) -> None:
        if number in grants_on(self._card.memory):
            raise FindingError("a grant was said to be gone that is there", "", ())


def _loads(liar: Liar, card: VirtualCard) -> None:
    Channel(liar).run(load(_Ledger(card), SeededRandomness("host")))
    if sorted(grants_on(card.memory)) != [2]:
        raise FindingError("a load was believed that is not on the card", "", ())


def _personalises(liar: Liar, card: VirtualCard) -> None:
    keys = TransportKeys(*(TRAINING_TRANSPORT_KEYS[key] for key in (0x0A, 0x0B, 0x0C)))
    plan = PursePlan(INFO, KEYS, keys, Pin(PIN), Pin("12345678"), init_spend())
    Channel(liar).run(personalise(FixedPlan(plan), SeededRandomness("host")))
    if not is_complete(card.memory):
        raise FindingError("a personalisation was believed that is not complete", "", ())


def _pins(liar: Liar, _card: VirtualCard) -> None:
    channel = Channel(liar)
    channel.transmit(bytes.fromhex("00A4080C041200B001"))
    for dialogue in (
        pin_dialogues.verify(Pin(PIN)),
        pin_dialogues.change(Pin(PIN), Pin("54321")),
        pin_dialogues.unblock(Pin("12345678"), Pin(PIN)),
    ):
        channel.run(dialogue)


def _inspects(liar: Liar, _card: VirtualCard) -> None:
    channel = Channel(liar)
    channel.run(inspect_card())
    channel.run(look())
    channel.run(read_log())


def _others() -> Iterator[tuple[str, Memory, Callable[[Liar, VirtualCard], None]]]:
    for mask in (WHITE, GENERIC_T0):
        yield f"load: {mask}", with_purse(mask), _loads
        yield f"personalisation: {mask}", blank(mask), _personalises
        yield f"pins: {mask}", with_purse(mask), _pins
        yield f"inspection: {mask}", with_purse(mask), _inspects
    assert sealed(OLD) != sealed(NEW)
