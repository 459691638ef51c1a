"""The stock file beside a card image: what the backend must know to put a purse on the card.

JSON, one card a file::

    {"format": "borsellino-stock", "version": 1, "serial": "6030000000000019",
     "kind": "crs", "mask": "crs-stincard", "suite": 1, "training": false,
     "transport_keys": {"0A": "16 bytes", "0B": "…", "0C": "…"}}

``kind`` is ``crs``, ``white``, ``white-applet`` or ``white-legacy``. ``0A`` MACs commands,
``0B`` answers, ``0C`` enciphers. ``training`` says that the keys are the public ones, for
issuer 000000 only. Whoever has the file can personalise the card.
"""

import json
from pathlib import Path

from cardlib.codec.purse import Suite
from simulator.card.filesystem import Memory
from simulator.card.masks import TRANSPORT_KEYS, is_cns, traits_of
from simulator.card.store import write_new
from simulator.card.traits import PurseKind

FORMAT = "borsellino-stock"
VERSION = 1
SUFFIX = ".stock.json"
_WHITE_KINDS = {
    PurseKind.FILE: "white",
    PurseKind.APPLET: "white-applet",
    PurseKind.LEGACY: "white-legacy",
}


def stock_path(image: Path) -> Path:
    """Where the stock file of an image is."""
    return image.with_name(image.name + SUFFIX)


def stock_kind(memory: Memory) -> str:
    """``crs`` for a card with a holder, else the white card's kind: its chip decides its keys."""
    if is_cns(memory):
        return "crs"
    return _WHITE_KINDS[traits_of(memory).purse]


def write_stock(path: Path, memory: Memory, suite: Suite, *, training: bool) -> None:
    """Writes a new stock file that only its owner reads; ImageError when there is one."""
    services = memory.find((0x1200,))
    assert services is not None
    fields = {
        "format": FORMAT,
        "version": VERSION,
        "serial": memory.serial,
        "kind": stock_kind(memory),
        "mask": memory.mask,
        "suite": int(suite),
        "training": training,
        "transport_keys": {f"{key:02X}": services.keys[key].hex() for key in TRANSPORT_KEYS},
    }
    write_new(path, json.dumps(fields, indent=1) + "\n")
