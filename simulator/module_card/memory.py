"""What a module card keeps without power, and its image: JSON, format 1.

::

    {"format": "borsellino-module", "version": 1, "serial": "…",
     "pin": {"value": "…", "tries_left": 5}, "puk": {"value": "…", "tries_left": 10},
     "signing_seed": "…", "box_seed": "…", "operator": "… or empty", "certificate": "…",
     "terminal": 502, "masters": [["018153", 1, "32 bytes"]],
     "purses": [["INFO bytes 0-13", "K_DC", "K_DR", "K_REC"]],
     "order": {"number": 0, "hash": "", "debits_max": 0, "cents_max": 0, "ceiling": 0},
     "debits": 0, "cents": 0, "counted": "hash of the newest intent counted"}

The image holds every key in clear, as a card's image does: it is worth what its file is.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from cardlib.codec.module_card import PIN_SIZE
from cardlib.codec.purse import Info
from simulator.errors import ImageError
from simulator.module_card.records import DebitKeys, derive

FORMAT = "borsellino-module"
VERSION = 1
PIN_TRIES, PUK_TRIES = 5, 10
_CORE_KEYED = 14
"""INFO bytes that decide keys; a card's expiry may change."""


@dataclass(slots=True)
class Secret:
    """A PIN or PUK, padded; ``tries_left`` 0 is blocked."""

    value: bytes
    tries_left: int

    def matches(self, value: bytes, tries: int) -> bool:
        """Compares, the try already counted; a right one gives all ``tries`` back."""
        if value != self.value:
            return False
        self.tries_left = tries
        return True


@dataclass(frozen=True, slots=True)
class Allowance:
    """The newest order obeyed: debits and cents that may ever be reached, and a ceiling.

    Cumulative, like the totals on a purse: an order that is kept back or sent twice gives
    nothing. ``ceiling`` in cents a debit, 0 for none.
    """

    number: int = 0
    hash: bytes = b""
    debits_max: int = 0
    cents_max: int = 0
    ceiling: int = 0


@dataclass(slots=True, repr=False)
class ModuleMemory:
    """One module: its keys, whose it is, what it may do and what it has done."""

    serial: str
    pin: Secret
    puk: Secret
    signing_seed: bytes
    box_seed: bytes
    operator: bytes = b""
    certificate: bytes = b""
    """SHA-256 of the certificate with which it was taken into service."""
    terminal: int = 0
    masters: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    purses: dict[bytes, DebitKeys] = field(default_factory=dict)
    allowance: Allowance = Allowance()
    debits: int = 0
    cents: int = 0
    counted: bytes = b""

    def keys_for(self, info: Info) -> DebitKeys | None:
        """Keys of a purse, derived or kept; None when this module does not serve it."""
        kept = self.purses.get(info.core[:_CORE_KEYED])
        if kept is not None:
            return kept
        master = self.masters.get((info.issuer, info.key_set))
        return None if master is None else derive(master, info)

    def other_sets(self, info: Info) -> tuple[DebitKeys, ...]:
        """Keys of the same purse under the other key sets that are here."""
        held = {key_set for issuer, key_set in self.masters if issuer == info.issuer}
        held |= {core[-1] for core in self.purses if core[:-1] == info.core[: _CORE_KEYED - 1]}
        others = (replace(info, key_set=number) for number in sorted(held - {info.key_set}))
        return tuple(keys for other in others if (keys := self.keys_for(other)) is not None)


def encode(memory: ModuleMemory) -> bytes:
    """The image of a memory."""
    image: dict[str, Any] = {
        "format": FORMAT, "version": VERSION, "serial": memory.serial,
        "pin": _secret_out(memory.pin), "puk": _secret_out(memory.puk),
        "signing_seed": memory.signing_seed.hex(), "box_seed": memory.box_seed.hex(),
        "operator": memory.operator.hex(), "certificate": memory.certificate.hex(),
        "terminal": memory.terminal,
        "masters": [[i.hex(), k, key.hex()] for (i, k), key in memory.masters.items()],
        "purses": [
            [core.hex(), keys.command.hex(), keys.response.hex(), keys.record.hex()]
            for core, keys in memory.purses.items()
        ],
        "order": asdict(memory.allowance) | {"hash": memory.allowance.hash.hex()},
        "debits": memory.debits, "cents": memory.cents, "counted": memory.counted.hex(),
    }  # fmt: skip
    return json.dumps(image, indent=1).encode() + b"\n"


def decode(image: bytes) -> ModuleMemory:
    """The memory in an image; ImageError when it is none, or of another version."""
    try:
        fields = json.loads(image)
        if fields["format"] != FORMAT:
            raise ImageError(why="it is not the image of a module")
        if fields["version"] != VERSION:
            raise ImageError("CARD_IMAGE_VERSION", version=str(fields["version"]))
        return _memory_in(fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError(why=f"{type(error).__name__}: {error}") from error


def is_module_image(image: bytes) -> bool:
    """Whether these bytes say of themselves that they are a module, not another card."""
    try:
        fields = json.loads(image)
    except ValueError:
        return False
    return isinstance(fields, dict) and fields.get("format") == FORMAT


def _memory_in(fields: dict[str, Any]) -> ModuleMemory:
    octets = bytes.fromhex
    order = fields["order"]
    return ModuleMemory(
        serial=fields["serial"], pin=_secret_in(fields["pin"]), puk=_secret_in(fields["puk"]),
        signing_seed=octets(fields["signing_seed"]), box_seed=octets(fields["box_seed"]),
        operator=octets(fields["operator"]), certificate=octets(fields["certificate"]),
        terminal=int(fields["terminal"]),
        masters={(octets(i), int(k)): octets(key) for i, k, key in fields["masters"]},
        purses={octets(core): DebitKeys(*map(octets, keys)) for core, *keys in fields["purses"]},
        allowance=Allowance(**order | {"hash": octets(order["hash"])}),
        debits=int(fields["debits"]), cents=int(fields["cents"]),
        counted=octets(fields["counted"]),
    )  # fmt: skip


def _secret_out(secret: Secret) -> dict[str, Any]:
    return {"value": secret.value.hex(), "tries_left": secret.tries_left}


def _secret_in(fields: dict[str, Any]) -> Secret:
    value = bytes.fromhex(fields["value"])
    if len(value) != PIN_SIZE:
        raise ValueError("PIN of the wrong length")
    return Secret(value, int(fields["tries_left"]))
