"""vsmartcard's card operating system, as Debian packages it, behind our own link to vpcd.

The package puts its modules where Python does not look and does not name pycryptodome,
which requirements/bench.lock brings. It is loaded only here, and only when it is there.
"""

import importlib
import importlib.util
import logging
import sys
from pathlib import Path
from typing import Any

from simulator.vpcd import VirtualReader

HOME = Path("/usr/lib/python3/site-packages/virtualsmartcard")
_FID, _SFI = 0x1001, 1
SELECT = bytes.fromhex("00A4000C021001")
"""Selects their file."""


def missing() -> str:
    """What is not here, in words; empty when everything is."""
    if not HOME.is_dir():
        return "Debian's package vsmartcard-vpicc"
    if importlib.util.find_spec("Crypto") is None:
        return "pycryptodome (requirements/bench.lock)"
    return ""


class ViccCard:
    """Their ISO 7816 card with one transparent file, as a connection."""

    def __init__(self, content: bytes) -> None:
        if str(HOME) not in sys.path:
            sys.path.append(str(HOME))
        logging.getLogger().setLevel(logging.ERROR)
        card = importlib.import_module("virtualsmartcard.VirtualSmartcard")
        files = importlib.import_module("virtualsmartcard.SmartcardFilesystem")
        maker = importlib.import_module("virtualsmartcard.CardGenerator")
        mf, access = maker.CardGenerator("iso7816").getCard()
        mf.append(files.TransparentStructureEF(parent=mf, fid=_FID, shortfid=_SFI, data=content))
        self._card: Any = card.Iso7816OS(mf, access)

    @property
    def atr(self) -> bytes:
        """Theirs."""
        return bytes(self._card.getATR())

    def transmit(self, apdu: bytes) -> bytes:
        """Their answer."""
        return bytes(self._card.execute(apdu))

    def reset(self) -> None:
        """Their reset."""
        self._card.reset()

    def close(self) -> None:
        """Nothing to let go."""


def plugged(content: bytes, address: tuple[str, int]) -> VirtualReader:
    """Their card in a slot, served the way ours is."""
    return VirtualReader(ViccCard(content), address)
