"""What the examples share: a card for training, and a till in memory that serves it.

Issuer 000000 is for training: its keys are published, live tills refuse its cards.
"""

from cardlib.calendar import day_at
from cardlib.channel import Channel, Tracer
from cardlib.codec.purse import day_number
from cardlib.connection import CardConnection
from cardlib.dialogues.purse_state import PurseState
from cardlib.drivers.choose import purse_card
from cardlib.drivers.purse_card import PurseCard
from cardlib.keys.soft_module import KeyRing, SoftModule
from cardlib.system import SystemClock, SystemRandomness
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.enrolment import DebitMaster
from cardlib.wire.entry import encode_payload
from cardlib.wire.entry_header import Header, ModuleClass
from cardlib.wire.ids import TRAINING_ISSUER, PurseId, Seq, TerminalNumber
from cardlib.wire.money import ZERO
from simulator.card.card import VirtualCard
from simulator.card.masks import TRAINING_TRANSPORT_KEYS, WHITE, make_card
from simulator.card.personal import fictitious_holder
from simulator.training import ISSUER_KEY, KEY_SET, MASTERS, TrainingWallet, add_training_purse
from terminal.sale.offer import make_offer
from terminal.sale.plan import plan_intent

RANDOMNESS = SystemRandomness()
_KEYS = KeyRing(SigningKey(bytes(32)), (DebitMaster(TRAINING_ISSUER, KEY_SET, MASTERS.debit),))
MODULE = SoftModule(_KEYS, RANDOMNESS)


class Trust:
    """Believes what the training issuer signs."""

    def issuer_key(self, _issuer: bytes, _key_id: int) -> PublicKey | None:
        """One key is enough here."""
        return ISSUER_KEY.public

    def least_grant_seq(self, _purse: PurseId) -> int:
        """No watermarks."""
        return 0


def new_card(*cents: int, mask: str = WHITE) -> VirtualCard:
    """A virtual card with one wallet for each amount; PIN 12345."""
    holder = fictitious_holder(RANDOMNESS)
    memory = make_card(mask, RANDOMNESS, holder, TRAINING_TRANSPORT_KEYS)
    if cents:
        add_training_purse(memory, [TrainingWallet(amount) for amount in cents], RANDOMNESS)
    return VirtualCard(memory, RANDOMNESS)


def driver(connection: CardConnection, tracer: Tracer | None = None) -> PurseCard:
    """The driver for whatever card that is."""
    return purse_card(Channel(connection, tracer), MODULE, Trust(), training=True)


def intent(state: PurseState, cents: int) -> bytes:
    """What a till signs and keeps before it debits the card; a real one writes it to disk."""
    clock = SystemClock()
    now = clock.unix_ms()
    today = day_number(day_at(now // 1000))
    offer = make_offer(state, {0: cents}, ZERO, today, 0)
    body = plan_intent(state, offer, now // 1000, today, pin_asked=True)
    header = Header(
        terminal=TerminalNumber(1), seq=Seq(1), prev_hash=bytes(32), wall_ms=now,
        monotonic_ms=clock.monotonic_ms(), boot_id=clock.boot_id, clock_flags=0,
        software="example", parameters=0, hotlist=0, watermark=0,
        module_class=ModuleClass.SOFT, batch=1, cashier="",
    )  # fmt: skip
    return MODULE.sign_entry(encode_payload(header, body))
