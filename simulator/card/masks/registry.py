"""The masks there are: name to how a card of it is made and what it does its own way.

A mask is added with :func:`register`; everything else (``sim new-card --mask``, the
tests over all masks, the traits of a loaded image) finds it here by its name.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.card.chip import Randomness
from simulator.card.filesystem import Memory
from simulator.card.personal import Holder
from simulator.card.traits import Traits
from simulator.errors import MaskError

Build = Callable[[Randomness, Holder, dict[int, bytes]], Memory]
"""Makes a card from randomness, its holder, and the transport keys by id."""


@dataclass(frozen=True, slots=True)
class Mask:
    """A kind of card: what it is, its answer to reset, its ways, and how it is made."""

    name: str
    about: str
    atr: bytes
    build: Build = field(repr=False)
    traits: Traits = field(default_factory=Traits)
    source: str = "ours"
    """Who says that there are cards with this ATR."""


MASKS: dict[str, Mask] = {}
"""By name, in the order in which they are shown."""


def register(mask: Mask) -> Mask:
    """Adds a mask; a name is given once."""
    assert mask.name not in MASKS, mask.name
    MASKS[mask.name] = mask
    return mask


def mask_named(name: str) -> Mask:
    """The mask; MaskError when there is none of this name."""
    try:
        return MASKS[name]
    except KeyError:
        raise MaskError(mask=name, known=", ".join(MASKS)) from None


def make_card(
    mask: str, randomness: Randomness, holder: Holder, transport_keys: dict[int, bytes]
) -> Memory:
    """A card fresh from the factory; MaskError when there is no such mask."""
    return mask_named(mask).build(randomness, holder, dict(transport_keys))


def traits_of(memory: Memory) -> Traits:
    """The traits of a card by the name of its mask; MaskError when nobody knows it."""
    return mask_named(memory.mask).traits


def is_cns(memory: Memory) -> bool:
    """Whether the card is a CNS (a services card with a holder), not the town's own."""
    return traits_of(memory).cns is not None
