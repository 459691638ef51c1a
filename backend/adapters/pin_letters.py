"""PIN letters as files that only their owner reads, until they are printed and erased."""

import json
from pathlib import Path

from cardlib.durable import replace_file
from cardlib.wire.ids import PurseId


class FilePinLetters:
    """One JSON file a purse: ``{"purse", "serial", "pin", "puk"}``; without a PUK after a reset."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def issue(self, purse: PurseId, serial: str, pin: str, puk: str) -> None:
        """Keeps the letter, durably; the same one again changes nothing."""
        letter = {"purse": str(purse), "serial": serial, "pin": pin, "puk": puk}
        self._keep(f"{purse}.json", letter)

    def reissue(self, purse: PurseId, serial: str, pin: str) -> None:
        """Keeps a letter with a new PIN only; a first letter that still lies here stays."""
        self._keep(f"{purse}.pin.json", {"purse": str(purse), "serial": serial, "pin": pin})

    def _keep(self, name: str, letter: dict[str, str]) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(self._directory / name, json.dumps(letter).encode("ascii"), private=True)
