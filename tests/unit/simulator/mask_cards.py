"""Fresh cards of any mask: made once, since keys of 2048 bits take a while."""

from functools import cache

from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import Holder
from simulator.card.purses import add_purse
from simulator.card.randomness import SeededRandomness
from tests.unit.simulator.host import PIN, PUK, Host, aes_vectors, purse_keys

SIEMENS, SIEMENS_C80A, ATHENA, OBERTHUR = (
    "crs-siemens-c805", "crs-siemens-c80a", "crs-athena", "tscns-sardegna",
)  # fmt: skip
CNS_1_1 = "tscns-fvg"


@cache
def factory_image(mask: str) -> bytes:
    made = make_card(mask, SeededRandomness("traits"), Holder(), TRAINING_TRANSPORT_KEYS)
    return image.encode(made)


def memory_of(mask: str) -> Memory:
    return image.decode(factory_image(mask))


def host_of(mask: str) -> Host:
    return Host(VirtualCard(memory_of(mask), SeededRandomness("chip")))


def with_purse(memory: Memory) -> Memory:
    suite = aes_vectors()
    add_purse(
        memory, info=bytes.fromhex(suite["info"]), keys=purse_keys(), pin=PIN, puk=PUK,
        spends=[bytes.fromhex(suite["spend_4"])],
    )  # fmt: skip
    return memory
