"""Which readers a pattern means."""

import pytest

from cardlib.pcsc.names import matches, meant

GEMALTO = "Gemalto PC Twin Reader (70D7E2EE) [CCID Interface] 00 00"
MODULE = "Identiv uTrust 3512 SAM slot Token [CCID Interface] (55512030605123) 01 00"


@pytest.mark.parametrize(
    "pattern", ["", "gemalto", "PC Twin", "[CCID Interface]", "Gemalto*00 00", "gemalto pc t?in*"]
)
def test_a_pattern_is_a_part_of_the_name_or_all_of_it_with_signs(pattern: str) -> None:
    assert matches(pattern, GEMALTO)


@pytest.mark.parametrize("pattern", ["cherry", "Gemalto*SAM", "gemalto?", "Twin*", "[CG]emalto*"])
def test_other_patterns_mean_other_readers(pattern: str) -> None:
    assert not matches(pattern, GEMALTO)


def test_the_modules_slot_is_never_the_customers() -> None:
    assert meant([MODULE, GEMALTO], "", besides="sam slot") == [GEMALTO]
    assert meant([MODULE, GEMALTO], "sam slot") == [MODULE]


def test_the_order_is_that_of_the_names_whatever_was_plugged_in_first() -> None:
    assert meant(["B 01 00", "A 02 00"], "") == meant(["A 02 00", "B 01 00"], "")


def test_a_reader_that_comes_back_with_other_numbers_is_meant_again() -> None:
    assert matches("Gemalto PC Twin Reader (70D7E2EE)", GEMALTO.replace("00 00", "03 00"))
