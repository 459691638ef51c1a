"""Which keys make a virtual card's purses readable: the chip's own, and masters where known.

The chip's keys judge MACs. K_REC, which opens records, is on no file card: it comes from
masters, and only from those under which the chip's own K_DR comes out too.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cardlib.codec.files import DF_SERVICES, KeyId
from cardlib.codec.purse import Info
from cardlib.errors import CardlibError
from cardlib.keys.derivation import MASTER_SIZE, DebitKeys
from cardlib.trace.keyring import TraceKeys
from simulator import training
from simulator.card.filesystem import Directory, Memory
from simulator.card.purse_profile import info_of
from simulator.errors import ImageError


@dataclass(frozen=True, slots=True, repr=False)
class CardKeys:
    """Reads the purses of cards with these debit masters; the training issuer's always."""

    debit_masters: Sequence[bytes] = ()

    def of_purse(self, purse: Directory) -> TraceKeys | None:
        """What is known of one purse directory; None before it is personalised."""
        info = info_of(purse)
        if info is None:
            return None
        return TraceKeys(info.suite, dict(purse.keys), self._record_key(info, purse))

    def of_card(self, memory: Memory, directory: int) -> TraceKeys | None:
        """What is known of the purse in ``directory`` (0xB001 …) of a card."""
        purse = memory.find((DF_SERVICES, directory))
        return self.of_purse(purse) if purse else None

    def _record_key(self, info: Info, purse: Directory) -> bytes | None:
        own = purse.keys.get(KeyId.RECORD)
        if own is not None:
            return own
        for master in (*self.debit_masters, training.MASTERS.debit):
            derived = _derived(master, info)
            if derived and derived.response == purse.keys.get(KeyId.DEBIT_RESPONSE):
                return derived.record
        return None


def _derived(master: bytes, info: Info) -> DebitKeys | None:
    try:
        return DebitKeys.derive(master, info)
    except CardlibError:
        return None


def read_debit_masters(path: Path) -> list[bytes]:
    """M_DEBIT from a JSON file, ``{"debit": ["64 hex digits", …]}``; ImageError for others."""
    try:
        masters = [bytes.fromhex(text) for text in json.loads(path.read_text("utf-8"))["debit"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageError("KEYS_UNREADABLE", path=str(path)) from error
    if any(len(master) != MASTER_SIZE for master in masters):
        raise ImageError("KEYS_UNREADABLE", path=str(path))
    return masters
