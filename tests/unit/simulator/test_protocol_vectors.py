"""The card answers the published conversations byte for byte (suite 1)."""

from simulator.card.card import VirtualCard
from tests.unit.simulator.host import aes_vectors, purse_memory, vectors


class Scripted:
    """Randomness that the vectors prescribe."""

    def __init__(self, *values: str) -> None:
        self._values = [bytes.fromhex(value) for value in values]

    def bytes(self, count: int) -> bytes:
        value = self._values.pop(0)
        assert len(value) == count
        return value


def play(card: VirtualCard, exchanges: list[dict[str, str]]) -> None:
    for exchange in exchanges:
        answer = card.transmit(bytes.fromhex(exchange["command"]))
        assert answer.hex() == exchange["response"], exchange["name"]


def test_sale_is_answered_as_published() -> None:
    card = VirtualCard(purse_memory(), Scripted(vectors()["inputs"]["rnd_ic"]))
    play(card, aes_vectors()["sale"])


def test_sale_is_ten_commands_and_438_bytes() -> None:
    card = VirtualCard(purse_memory(), Scripted(vectors()["inputs"]["rnd_ic"]))
    commands = [bytes.fromhex(exchange["command"]) for exchange in aes_vectors()["sale"]]
    answers = [card.transmit(command) for command in commands]
    assert len(commands) == 10
    assert sum(map(len, commands)) + sum(map(len, answers)) == 438


def test_load_writes_are_answered_as_published() -> None:
    load = vectors()["inputs"]["load"]
    challenges = (load[name] for name in ("rnd_ic_grant", "rnd_ic_zero", "rnd_ic_map"))
    card = VirtualCard(purse_memory(), Scripted(*challenges))
    assert card.transmit(bytes.fromhex("00a4080c041200b001")).hex() == "9000"
    play(card, aes_vectors()["load_writes"])
