"""A module fresh from the factory: keys made on the card, PIN and PUK in its letter."""

from cardlib.codec.module_card import padded_pin
from simulator.card.chip import Randomness
from simulator.module_card.memory import PIN_TRIES, PUK_TRIES, ModuleMemory, Secret

DIGITS = 8
_SEED = 32


def make_module(randomness: Randomness, pin: str, puk: str) -> ModuleMemory:
    """A module that no operator has taken into service; MalformedError for a PIN that is none."""
    serial = randomness.bytes(8).hex().upper()
    return ModuleMemory(
        serial, Secret(padded_pin(pin), PIN_TRIES), Secret(padded_pin(puk), PUK_TRIES),
        randomness.bytes(_SEED), randomness.bytes(_SEED),
    )  # fmt: skip


def random_digits(randomness: Randomness, count: int = DIGITS) -> str:
    """A PIN: digits without bias."""
    digits = ""
    while len(digits) < count:
        (value,) = randomness.bytes(1)
        if value < 250:
            digits += str(value % 10)
    return digits
