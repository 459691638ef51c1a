"""What truly happened in a town, noted apart from the product: goods, and money for cards.

Goods change hands when the product says that they are due: a sale or a recovered sale whose
closing entry is durable. A void brings them back. Each intent counts once.
"""

from collections import Counter
from dataclasses import dataclass, field

from cardlib.wire.ids import PurseId
from simulator.errors import TownError
from simulator.town.checks.declared import Declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Goods worth ``cents`` went from a shop to the holder of a purse; negative came back.

    ``terminal``, ``seq`` and ``intent`` (the start of its hash) name the intent; ``slots`` are
    cents by slot of the purse.
    """

    happening: str
    at_ms: int
    shop: str
    person: str
    purse: PurseId
    terminal: int
    seq: int
    intent: bytes
    cents: int
    slots: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Truth:
    """The notes of a whole history, in order."""

    deliveries: list[Delivery] = field(default_factory=list)
    ordered: Counter[PurseId] = field(default_factory=Counter)
    """Cents of approved load orders, by purse."""
    loaded: Counter[PurseId] = field(default_factory=Counter)
    """Cents that a card session said to have loaded, by purse."""
    ordered_slots: Counter[tuple[PurseId, int]] = field(default_factory=Counter)
    """The orders again, by purse and programme."""
    paid: Counter[str] = field(default_factory=Counter)
    """Cents that the bank paid, by the shop's IBAN."""
    refused: Counter[str] = field(default_factory=Counter)
    """Codes with which customers were sent away."""
    struck: Counter[str] = field(default_factory=Counter)
    """Accidents that truly struck, by kind."""
    declared: Declared = field(default_factory=Declared)
    """The same for the checks, and what they must know besides."""
    _seen: set[tuple[int, int, bytes]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.declared.refused = self.refused
        self.declared.paid = self.paid

    def deliver(self, delivery: Delivery) -> None:
        """Notes it; TownError when goods are handed over twice for one intent."""
        key = delivery.terminal, delivery.seq, delivery.intent
        if key in self._seen:
            raise TownError(
                "TOWN_GOODS_ASTRAY", law=0, what="goods handed over twice", seed=0,
                subject=f"{delivery.terminal}:{delivery.seq}", cents=delivery.cents,
                happening=delivery.happening,
            )  # fmt: skip
        self._seen.add(key)
        self.deliveries.append(delivery)
        self.declared.deliveries.append(delivery)

    def was_delivered(self, terminal: int, seq: int, intent: bytes) -> bool:
        """Whether goods changed hands for an intent, one way or the other."""
        return (terminal, seq, intent) in self._seen

    def received(self) -> Counter[PurseId]:
        """Cents of goods that each holder has, by purse."""
        sums: Counter[PurseId] = Counter()
        for item in self.deliveries:
            sums[item.purse] += item.cents
        return sums

    def delivered(self) -> Counter[str]:
        """Cents of goods that each shop has given away."""
        sums: Counter[str] = Counter()
        for item in self.deliveries:
            sums[item.shop] += item.cents
        return sums
