"""Cards of every mask and suite, as the town makes them: personalised, then loaded."""

from datetime import date
from functools import cache

from cardlib.channel import Channel
from cardlib.codec.files import PurseChip
from cardlib.codec.pin import Pin
from cardlib.codec.purse import (
    FLAG_ATTESTATION,
    FLAG_PIN_ENFORCED,
    ZERO_TOTALS,
    Info,
    day_number,
)
from cardlib.dialogues.personalise import PursePlan, TransportKeys, personalise
from cardlib.keys.derivation import PurseKeys
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.masks import MASKS, TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness
from simulator.card.traits import PurseKind
from simulator.connection import InProcessConnection
from tests.integration.card_laws.town import PurseLedger, run_load
from tests.integration.terminal.stage import (
    ISSUER,
    KEY_SET,
    PIN,
    PUK,
    Stage,
    StageCard,
    blank_spend,
)
from tests.unit.cardlib.dialogues.test_personalise import FixedPlan

GRANTED = 50_00


def kind_of(mask: str) -> PurseKind:
    """What the chip's purse can do, which decides the driver."""
    return MASKS[mask].traits.purse


def issued(stage: Stage, mask: str, suite: int, number: int) -> StageCard:
    """A card in its holder's hand, 50 EUR for food on it.

    On a legacy chip no purse can be made over secure messaging: it comes with one.
    """
    if kind_of(mask) is PurseKind.LEGACY:
        return stage.card(number=number, mask=mask, suite=suite, flags=FLAG_PIN_ENFORCED)
    card = StageCard(
        VirtualCard(image.decode(_stock(mask)), SeededRandomness(f"chip {number}")),
        info := _info(suite, number), PurseKeys.derive(stage.masters, info), ZERO_TOTALS,
    )  # fmt: skip
    _personalise(card, mask, stage)
    run_load(stage, PurseLedger(card), InProcessConnection(card.card), 1, GRANTED)
    return card


@cache
def _stock(mask: str) -> bytes:
    """As it comes from the factory: making the holder's RSA key takes a while."""
    memory = make_card(mask, SeededRandomness("stock"), Holder(), TRAINING_TRANSPORT_KEYS)
    return image.encode(memory)


def _info(suite: int, number: int) -> Info:
    return Info(
        purse=bytes((number,)) * 8, issuer=ISSUER, suite=suite,
        flags=FLAG_PIN_ENFORCED | FLAG_ATTESTATION, key_set=KEY_SET,
        expiry=day_number(date(2030, 12, 31)),
    )  # fmt: skip


def _personalise(card: StageCard, mask: str, stage: Stage) -> None:
    transport = TransportKeys(*(TRAINING_TRANSPORT_KEYS[key] for key in (0x0A, 0x0B, 0x0C)))
    chip = PurseChip.APPLET if kind_of(mask) is PurseKind.APPLET else PurseChip.FILE
    plan = PursePlan(card.info, card.keys, transport, Pin(PIN), Pin(PUK), blank_spend(), chip)
    channel = Channel(InProcessConnection(card.card))
    channel.run(personalise(FixedPlan(plan), stage.randomness))
    channel.reset()
