"""Module cards as files: made, told about, and put into a reader like any other card.

Beside the image lies the letter of its PIN and PUK (``NAME.module.json``, its owner's
alone). ``borsellino sim new-module`` makes both; every command that takes a card's image
takes a module's too.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from cardlib.ports import Randomness
from cardlib.text import catalogue
from cardlib.wire.money import Money
from simulator.card.card import VirtualCard
from simulator.card.store import FileStore, read_image, write_new
from simulator.connection import InProcessConnection
from simulator.errors import FaultError, ImageError
from simulator.fault_options import FaultyCard
from simulator.module_card import memory as images
from simulator.module_card.card import ModuleCard
from simulator.module_card.documents import public_key_of
from simulator.module_card.factory import make_module, random_digits
from simulator.module_card.memory import ModuleMemory, is_module_image

SUFFIX = ".module.json"


def letter_path(image: Path) -> Path:
    """Where the PIN letter of a module's image is."""
    return image.with_name(image.name + SUFFIX)


def load_card(path: Path, randomness: Randomness) -> VirtualCard | ModuleCard:
    """The card or module whose image is at ``path``; ImageError when there is none to read."""
    module = is_module_image(read_image(path))
    return ModuleCard.load(path, randomness) if module else VirtualCard.load(path, randomness)


def create_module(path: Path, randomness: Randomness, pin: str = "") -> dict[str, str]:
    """A module fresh from the factory, in a new file, and its letter; what to tell about it.

    ImageError ``CARD_IMAGE_EXISTS``; MalformedError for a PIN that is none.
    """
    pin, puk = pin or random_digits(randomness), random_digits(randomness)
    memory = make_module(randomness, pin, puk)
    letter = letter_path(path)
    if path.exists():
        raise ImageError("CARD_IMAGE_EXISTS", path=str(path))
    facts = {
        "image": str(path), "letter": str(letter), "serial": memory.serial,
        "fingerprint": fingerprint(memory), "pin": pin, "puk": puk,
    }  # fmt: skip
    _write_letter(letter, facts)
    FileStore(path).save(images.encode(memory))
    return facts


def module_without_faults(card: ModuleCard, faults: list[str]) -> FaultyCard:
    """A module as it is served; FaultError: the faults by name are those of purse cards."""
    for text in faults:
        raise FaultError(fault=text)
    connection = InProcessConnection(card)
    return FaultyCard(connection, connection.reset)


def fingerprint(memory: ModuleMemory) -> str:
    """Of the module's public key, as a shop reads it out."""
    digits = sha256(public_key_of(memory.signing_seed)).hexdigest()[:32]
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def as_object(memory: ModuleMemory) -> dict[str, Any]:
    """What may be told of a module: no key, no PIN."""
    may = memory.allowance
    return {
        "kind": "module", "serial": memory.serial, "fingerprint": fingerprint(memory),
        "terminal": memory.terminal, "pin_tries_left": memory.pin.tries_left,
        "issuers": sorted({issuer.hex() for issuer, _ in memory.masters}),
        "purses": len(memory.purses), "order": may.number, "debits": memory.debits,
        "debits_max": may.debits_max, "cents": memory.cents, "cents_max": may.cents_max,
        "ceiling": may.ceiling,
    }  # fmt: skip


def as_lines(memory: ModuleMemory, lang: str) -> list[str]:
    """The same for people."""
    facts = as_object(memory)
    told = facts | {
        "cents": catalogue.money(Money(memory.cents), lang),
        "cents_max": catalogue.money(Money(memory.allowance.cents_max), lang),
        "issuers": ", ".join(facts["issuers"]) or "-",
    }
    keys = ("module_serial", "module_terminal", "module_pin", "module_keys", "module_used")
    return [catalogue.label("sim", key, lang, **told) for key in keys]


def _write_letter(path: Path, facts: dict[str, str]) -> None:
    told = {key: facts[key] for key in ("serial", "fingerprint", "pin", "puk")}
    write_new(path, json.dumps(told) + "\n")
