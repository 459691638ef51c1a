"""The tables of masks in the card profile say what the simulated cards do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cardlib.codec.atr import Atr
from cardlib.codec.status import Status
from simulator.card.masks import MASKS, Mask
from simulator.card.traits import FciForm, PinSearch, Traits

PROFILE = Path(__file__).parents[3] / "docs" / "card-profile.md"
CNS = [mask for mask in MASKS.values() if mask.traits.cns]


def lots_row(mask: Mask) -> str:
    return f"| `{mask.name}` | {mask.about.split(',')[0]} | `{mask.atr.hex().upper()}` |"


def traits_row(mask: Mask) -> str:
    traits = mask.traits
    assert traits.cns is not None
    version = f"1.{traits.cns.value & 0x0F}, RSA-{traits.cns.rsa_bits}"
    search = "upwards" if traits.pin_search is PinSearch.UPWARD else "here"
    cells = (mask.name, str(traits.protocol), version, search, fci(traits.fci), end(traits))
    return "| `" + cells[0] + "` | " + " | ".join(cells[1:]) + f" | {lengths(traits)} |"


def fci(form: FciForm) -> str:
    ways = [f"{form.template:02X}"]
    ways += ["82 of 3 bytes"] * form.long_descriptor
    ways += ["85 with size"] * form.sized_directories
    ways += ["86 trimmed"] * form.trimmed_access
    ways += ["81 beside 80"] * form.total_size
    return ", ".join(ways)


def end(traits: Traits) -> str:
    return f"{traits.end_of_file.short:04X}, {traits.end_of_file.beyond:04X}"


def lengths(traits: Traits) -> str:
    ways = ["extended"] * traits.extended_length + ["chaining"] * traits.command_chaining
    return ", ".join(ways) or "short"


@pytest.mark.parametrize("mask", CNS, ids=lambda mask: mask.name)
@pytest.mark.parametrize("row", [lots_row, traits_row])
def test_the_profile_has_the_masks_row(mask: Mask, row: Callable[[Mask], str]) -> None:
    assert row(mask) in PROFILE.read_text("utf-8").splitlines()


def test_the_words_of_the_tables_are_those_of_the_standard() -> None:
    """6282 and 6B00 have their names here, so that a typing error in a mask shows."""
    assert {mask.traits.end_of_file.short for mask in CNS} == {Status.END_OF_FILE, Status.OK}
    assert {mask.traits.end_of_file.beyond for mask in CNS} == {
        Status.END_OF_FILE, Status.WRONG_OFFSET,
    }  # fmt: skip
    assert all(Atr.decode(mask.atr).cns_version for mask in CNS)
