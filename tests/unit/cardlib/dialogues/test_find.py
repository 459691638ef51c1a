"""Which purse a backend session takes, of several on a card."""

from dataclasses import replace

import pytest

from cardlib.codec.purse import Info
from cardlib.dialogues.find import find_purse
from cardlib.dialogues.volley import converse
from cardlib.errors import PurseRefusedError
from tests.unit.cardlib.test_find_purse import FOREIGN, Directories
from tests.unit.cardlib.test_purse_records import INFO


class Newer(Directories):
    """A card whose first purse is of a version that nobody here knows."""

    def transmit(self, apdu: bytes) -> bytes:
        answer = super().transmit(apdu)
        first = self.current is not None and self.current is self.infos[0]
        return b"\x02" + answer[1:] if first and len(answer) > 2 else answer


def ours(info: Info) -> str | None:
    return "ours" if info.issuer == INFO.issuer else None


def test_the_first_purse_that_is_served_is_taken() -> None:
    assert converse(find_purse(ours), Directories(FOREIGN, INFO).transmit) == (INFO, "ours")


def test_a_purse_of_a_newer_kind_is_passed_by() -> None:
    card = Newer(replace(FOREIGN, purse=bytes(8)), INFO)

    assert converse(find_purse(ours), card.transmit) == (INFO, "ours")


@pytest.mark.parametrize(
    ("card", "code"),
    [
        (Directories(), "PURSE_MISSING"),
        (Directories(FOREIGN), "PURSE_NOT_SERVED"),
        (Newer(INFO), "PURSE_UNKNOWN_VERSION"),
    ],
)
def test_why_there_is_none_is_said(card: Directories, code: str) -> None:
    with pytest.raises(PurseRefusedError, match=code):
        converse(find_purse(ours), card.transmit)
