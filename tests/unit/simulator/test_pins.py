"""PIN and PUK of the purse: tries, blocking, unblocking, and what counts as verified."""

import json

import pytest

from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.card.store import MemoryStore
from tests.unit.simulator.host import (
    PIN,
    PUK,
    WRONG_PIN,
    Host,
    aes_vectors,
    padded,
    purse_memory,
    verify,
)

SPEND_5 = bytes.fromhex(aes_vectors()["spend_5"])
TRIES = "0020009C"


@pytest.fixture
def selected(host: Host) -> Host:
    host.select_purse()
    return host


def change(old: str, new: str, reference: str = "9C") -> bytes:
    return bytes.fromhex(f"002400{reference}10") + padded(old) + padded(new)


def unblock(puk: str, new: str, reference: str = "9C") -> bytes:
    return bytes.fromhex(f"002C00{reference}10") + padded(puk) + padded(new)


def block(host: Host) -> None:
    for left in ("63C2", "63C1", "63C0"):
        assert host.status(verify(WRONG_PIN)) == left


def test_wrong_pins_count_down_to_a_blocked_card(selected: Host) -> None:
    block(selected)
    assert selected.status(verify(WRONG_PIN)) == "6983"
    assert selected.status(verify(PIN)) == "6983"
    assert selected.status(TRIES) == "6983"


def test_the_right_pin_gives_the_tries_back(selected: Host) -> None:
    selected.send(verify(WRONG_PIN))
    assert selected.status(TRIES) == "63C2"
    selected.expect(verify(PIN))
    selected.expect(TRIES)
    selected.select_purse()
    assert selected.status(TRIES) == "63C3"


def test_a_wrong_pin_ends_its_being_verified(purse: Host) -> None:
    purse.send(verify(WRONG_PIN))
    assert purse.status(purse.spend(SPEND_5)) == "6982"


def test_asking_for_the_tries_changes_nothing(purse: Host) -> None:
    purse.expect(TRIES)
    purse.expect(purse.spend(SPEND_5))


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("0020009C05" + "3132333435", "6700"),
        ("0020009C09" + "31" * 9, "6700"),
        ("0020019C08" + "31" * 8, "6A86"),
        ("0020001C08" + "31" * 8, "6A88"),
        ("0020009E08" + "31" * 8, "6A88"),
        ("0020009008" + "31" * 8, "6A88"),
        ("0020000008" + "31" * 8, "6A88"),
        ("0C20009C08" + "31" * 8, "6882"),
    ],
)
def test_a_verify_that_names_nothing_costs_no_try(
    selected: Host, command: str, status: str
) -> None:
    assert selected.status(command) == status
    assert selected.status(TRIES) == "63C3"


def test_outside_the_purse_its_pin_does_not_exist(host: Host) -> None:
    assert host.status(verify(PIN)) == "6A88"


def test_the_pin_is_changed_with_the_old_one(purse: Host) -> None:
    purse.expect(change(PIN, "87654321"))
    assert purse.status(purse.spend(SPEND_5)) == "6982"
    assert purse.status(verify(PIN)) == "63C2"
    purse.expect(verify("87654321"))


def test_a_wrong_old_pin_counts_and_changes_nothing(purse: Host) -> None:
    assert purse.status(change(WRONG_PIN, "87654321")) == "63C2"
    assert purse.status(purse.spend(SPEND_5)) == "6982"
    purse.expect(verify(PIN))


@pytest.mark.parametrize("new", ["1234", "", "12a45"])
def test_a_new_pin_is_five_to_eight_digits_and_a_bad_one_costs_no_try(
    selected: Host, new: str
) -> None:
    assert selected.status(change(PIN, new)) == "6A80"
    assert selected.status(unblock(PUK, new)) == "6A80"
    assert selected.status(TRIES) == "63C3"
    assert selected.status("0020009D") == "63CA"


@pytest.mark.parametrize("ins", ["24", "2C"])
def test_half_a_pair_is_refused(selected: Host, ins: str) -> None:
    assert selected.status(f"00{ins}009C08" + "31" * 8) == "6700"
    assert selected.status(f"00{ins}009C") == "6700"


def test_a_blocked_pin_is_not_changed(selected: Host) -> None:
    block(selected)
    assert selected.status(change(PIN, "54321")) == "6983"


def test_the_puk_unblocks_and_sets_a_new_pin(selected: Host) -> None:
    block(selected)
    selected.expect(unblock(PUK, "54321"))
    assert selected.status(TRIES) == "63C3"
    selected.expect(verify("54321"))


def test_unblocking_ends_the_pin_being_verified(purse: Host) -> None:
    purse.expect(unblock(PUK, PIN))
    assert purse.status(purse.spend(SPEND_5)) == "6982"


def test_the_puk_has_ten_tries(selected: Host) -> None:
    for left in range(9, -1, -1):
        assert selected.status(unblock("00000000", PIN)) == f"63C{left:X}"
    assert selected.status(unblock(PUK, PIN)) == "6983"
    selected.expect(verify(PIN))


def test_the_puk_is_never_changed_or_unblocked(selected: Host) -> None:
    assert selected.status(change(PUK, "11111111", "9D")) == "6982"
    assert selected.status(unblock(PUK, "11111111", "9D")) == "6982"
    assert selected.status("0020009D") == "63CA"


def test_knowing_the_puk_does_not_open_the_purse(selected: Host) -> None:
    selected.expect(verify(PUK, "9D"))
    selected.exchange_randoms()
    assert selected.status(selected.spend(SPEND_5)) == "6982"


class CountsAtEachSave(MemoryStore):
    """Notes the purse PIN's tries in every image saved."""

    def __init__(self) -> None:
        super().__init__()
        self.tries: list[int] = []

    def save(self, saved: bytes) -> None:
        super().save(saved)
        purse = json.loads(saved)["mf"]["directories"][0]["directories"][0]
        self.tries.append(purse["pins"]["1C"]["tries_left"])


def test_the_try_is_saved_before_the_pin_is_compared() -> None:
    store = CountsAtEachSave()
    host = Host(VirtualCard(purse_memory(), SeededRandomness("pins"), store))
    host.select_purse()
    host.expect(verify(PIN))
    assert store.tries == [2, 3]
    host.send(verify(WRONG_PIN))
    assert store.tries == [2, 3, 2]


def test_tries_survive_a_power_cycle() -> None:
    store = MemoryStore()
    host = Host(VirtualCard(purse_memory(), SeededRandomness("pins"), store))
    host.select_purse()
    host.send(verify(WRONG_PIN))
    again = Host(VirtualCard(image.decode(store.image), SeededRandomness("pins")))
    again.select_purse()
    assert again.status(TRIES) == "63C2"


def test_each_purse_has_its_own_pin() -> None:
    from simulator.card.purses import add_purse
    from tests.unit.simulator.host import purse_keys

    memory = purse_memory()
    add_purse(
        memory,
        info=bytes.fromhex(aes_vectors()["info"]),
        keys=purse_keys(),
        pin="55555",
        puk=PUK,
        spends=[SPEND_5],
    )
    host = Host(VirtualCard(memory, SeededRandomness("pins")))
    host.select_purse("B002")
    assert host.status(verify(PIN)) == "63C2"
    host.expect(verify("55555"))
    host.select_purse("B001")
    host.exchange_randoms()
    assert host.status(host.spend(SPEND_5)) == "6982"
    assert host.status(TRIES) == "63C3"
