"""The shelf: virtual cards as image files in one folder, each by its file's name."""

from dataclasses import dataclass
from pathlib import Path

from cardlib.codec.purse import Suite
from cardlib.errors import CardlibError
from cardlib.ports import Randomness
from simulator import modules, stock
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import fictitious_holder
from simulator.card.store import FileStore, read_image
from simulator.errors import ImageError
from simulator.module_card import memory as module_images
from simulator.module_card.card import ModuleCard
from simulator.module_card.memory import is_module_image
from simulator.training import TrainingWallet, add_training_purse

SUFFIX = ".card"
MODULE = "module"
"""Stands for the mask of a module card (``sim new-module``)."""
DEFAULT_WALLETS = (TrainingWallet(100_00), TrainingWallet(40_00, programme=2))
_IMAGE_SIZE_MAX = 4_000_000


@dataclass(frozen=True, slots=True)
class ShelfCard:
    """One card on the shelf; ``trouble`` is the code of the error when it cannot be read."""

    name: str
    path: Path
    mask: str = ""
    serial: str = ""
    trouble: str = ""


class Shelf:
    """The cards of a folder, ``*.card`` and ``*.json``. Other files are not on the shelf.

    The folder may be missing until a card is made; ImageError ``SHELF_NO_FOLDER`` for a file.
    """

    def __init__(self, folder: Path, randomness: Randomness) -> None:
        if folder.exists() and not folder.is_dir():
            raise ImageError("SHELF_NO_FOLDER", path=str(folder))
        self.folder = folder
        self._randomness = randomness

    def cards(self) -> list[ShelfCard]:
        """All cards, by name."""
        paths = [path for path in self.folder.glob("*") if _may_be_card(path)]
        looked = [_look(path) for path in sorted(paths)]
        return [card for card in looked if card.path.suffix == SUFFIX or not card.trouble]

    def path(self, name: str) -> Path:
        """Where the card of this name is, or would be."""
        exact = self.folder / name
        return exact if exact.is_file() else self.folder / (name + SUFFIX)

    def take(self, name: str) -> VirtualCard | ModuleCard:
        """The card of this name, with its image behind it; ImageError when there is none."""
        return modules.load_card(self.path(name), self._randomness)

    def new_card(
        self, name: str, mask: str, wallets: tuple[TrainingWallet, ...] = DEFAULT_WALLETS
    ) -> ShelfCard:
        """A training card of a fictitious holder, with a training purse if ``wallets``.

        Its stock file is beside it. MaskError for an unknown mask, ImageError
        ``CARD_NAME_BAD``, ``CARD_IMAGE_EXISTS`` when the name is taken, or
        ``CARD_IMAGE_UNWRITABLE``.
        """
        path = self.folder / (name + SUFFIX)
        if not name.strip(".") or Path(name).name != name:
            raise ImageError("CARD_NAME_BAD", name=name)
        if path.exists():
            raise ImageError("CARD_IMAGE_EXISTS", path=str(path))
        made = self._make(mask, wallets)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            stock.write_stock(stock.stock_path(path), made, Suite.AES_128, training=True)
            FileStore(path).save(image.encode(made))
        except OSError as error:
            why = error.strerror or str(error)
            raise ImageError("CARD_IMAGE_UNWRITABLE", path=str(path), why=why) from error
        return ShelfCard(name, path, made.mask, made.serial)

    def free_name(self) -> str:
        """``card-1``, ``card-2`` …: the first that nobody has."""
        number = 1
        while (self.folder / f"card-{number}{SUFFIX}").exists():
            number += 1
        return f"card-{number}"

    def _make(self, mask: str, wallets: tuple[TrainingWallet, ...]) -> Memory:
        holder = fictitious_holder(self._randomness)
        made = make_card(mask, self._randomness, holder, TRAINING_TRANSPORT_KEYS)
        if wallets:
            add_training_purse(made, wallets, self._randomness)
        return made


def _may_be_card(path: Path) -> bool:
    named = path.suffix in (SUFFIX, ".json") and not path.name.endswith(
        (stock.SUFFIX, modules.SUFFIX)
    )
    return named and path.stat().st_size <= _IMAGE_SIZE_MAX


def _look(path: Path) -> ShelfCard:
    name = path.stem if path.suffix == SUFFIX else path.name
    try:
        saved = read_image(path)
        if is_module_image(saved):
            return ShelfCard(name, path, MODULE, module_images.decode(saved).serial)
        memory = image.decode(saved)
    except CardlibError as error:
        return ShelfCard(name, path, trouble=error.code)
    return ShelfCard(name, path, memory.mask, memory.serial)
