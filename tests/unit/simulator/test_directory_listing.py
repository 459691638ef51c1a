"""What a directory tells of what is in it: the makers' listings, free memory, services."""

from simulator.card.card import VirtualCard
from simulator.card.masks import CRS_STINCARD
from simulator.card.randomness import SeededRandomness
from simulator.card.services import SERVICES_MEMORY
from tests.unit.simulator.host import Host
from tests.unit.simulator.mask_cards import SIEMENS, host_of, memory_of, with_purse

# Listing a directory ----------------------------------------------------------------------


def test_siemens_masks_list_a_directory_at_once() -> None:
    host = host_of(SIEMENS)
    host.expect("00A4080C021000")
    assert host.expect("8016020000").hex().upper() == "6F0486021002" + "6F0486021003"
    host.expect("00A4080C021400")
    assert host.expect("8016020000") == b"\x6f\x00"
    assert host.status("B0FC000003") == "6D00"


def test_other_masks_tell_one_file_after_the_other() -> None:
    host = host_of(CRS_STINCARD)
    found = [host.expect("B0FC000003")]
    while (answer := host.send("B0FC000103")).ok:
        found.append(answer.data)
    assert f"{answer.status:04X}" == "6A82"
    assert found[0].hex().upper() == "012F01"
    assert found[-1].hex().upper() == "381400"
    assert len(found) == 5 + 4
    host.expect("00A4080C021000")
    assert host.expect("B0FC000103").hex().upper() == "011002", "another directory, from its start"
    assert host.status("8016020000") == "6D00"


def test_a_purse_is_listed_once_it_can_be_selected() -> None:
    host = Host(VirtualCard(with_purse(memory_of(SIEMENS)), SeededRandomness("chip")))
    host.expect("00A4080C021200")
    assert b"\xb0\x01" in host.expect("8016020000")


# Free memory and services -----------------------------------------------------------------


def test_purses_take_memory_and_are_listed() -> None:
    memory = memory_of(CRS_STINCARD)

    def told() -> tuple[int, bytes]:
        host = Host(VirtualCard(memory, SeededRandomness("chip")))
        host.expect("00A4080C0412001202")
        free = host.expect("00B0000002")
        host.expect("00A4080C0412001203")
        return int.from_bytes(free, "big"), host.expect("00B0000000").rstrip(b"\x00")

    before = told()
    assert before == (SERVICES_MEMORY, b"")
    with_purse(memory)
    first = told()
    with_purse(memory)
    second = told()
    assert before[0] - first[0] == first[0] - second[0] > 17 + 8 * 95 + 20 * 54
    assert second[1].hex().upper() == "62078302B0018A0105" + "62078302B0028A0105"


def test_there_is_room_for_all_fifteen_purses() -> None:
    memory = memory_of(CRS_STINCARD)
    for _ in range(15):
        with_purse(memory)
    host = Host(VirtualCard(memory, SeededRandomness("chip")))
    host.expect("00A4080C0412001202")
    assert int.from_bytes(host.expect("00B0000002"), "big") > 0
    host.expect("00A4080C0412001203")
    assert len(host.expect("00B0000000").rstrip(b"\x00")) == 15 * 9
