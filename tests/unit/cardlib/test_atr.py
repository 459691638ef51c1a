"""Answers to reset: of cards in the field, and of none that there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.codec.atr import Atr, TransmissionProtocol
from cardlib.errors import CardlibError, MalformedError
from simulator.card.masks import CRS_ATR, MASKS, Mask

BOTH = "3B8F8001804F0CA000000306030001000000006A"
"""A contactless memory card as PC/SC shows it: T=0 and T=1 named (PC/SC part 3)."""
T0_ONLY = "3B6500002063CBB500"
"""Five historical bytes of the maker's own, no TCK."""


def decode(text: str) -> Atr:
    return Atr.decode(bytes.fromhex(text))


def sealed(body: str) -> str:
    """``body`` from T0 on, with TS and TCK."""
    check = 0
    for byte in bytes.fromhex(body):
        check ^= byte
    return f"3B{body}{check:02X}"


def test_a_crs_speaks_t1_with_blocks_of_254_bytes() -> None:
    atr = Atr.decode(CRS_ATR)
    assert atr.protocol is TransmissionProtocol.T1
    assert atr.protocols == (1,)
    assert atr.ifsc == 254
    assert len(atr.historical) == 15


def test_a_crs_calls_itself_cns_one_point_zero_without_extended_length() -> None:
    atr = Atr.decode(CRS_ATR)
    assert atr.cns_version == 0x10
    assert not atr.extended_length


def test_a_cns_one_point_one_takes_extended_length() -> None:
    atr = decode("3BFF1800FF8131FE55006B02090200011101434E531131808E")
    assert atr.cns_version == 0x11
    assert atr.extended_length


def test_a_card_that_names_no_protocol_speaks_t0_and_has_no_check_byte() -> None:
    atr = decode(T0_ONLY)
    assert atr.protocols == (0,)
    assert atr.protocol is TransmissionProtocol.T0
    assert atr.historical.hex() == "2063cbb500"


def test_of_both_protocols_t1_is_taken() -> None:
    atr = decode(BOTH)
    assert atr.protocols == (0, 1)
    assert atr.protocol is TransmissionProtocol.T1


def test_specific_mode_leaves_no_choice() -> None:
    """TD1 = 90 names T=0 and brings TA2 = 00 and TD2 = 01."""
    atr = decode(sealed("80900001"))
    assert atr.protocols == (0, 1)
    assert atr.specific_mode == 0
    assert atr.protocol is TransmissionProtocol.T0


def test_ta2_is_no_ifsc() -> None:
    """TD1 = 91 names T=1 and brings TA2, which fixes the protocol; TA3 is the first for T=1."""
    atr = decode(sealed("80918131FE45"))
    assert (atr.specific_mode, atr.ifsc) == (1, 254)


def test_ifsc_is_32_where_the_card_names_none() -> None:
    assert decode(sealed("808101")).ifsc == 32
    assert decode(T0_ONLY).ifsc == 32


@pytest.mark.parametrize(
    ("historical", "short_ids", "extended"),
    [
        ("8073C40040", True, True),
        ("80738000C0", False, True),
        ("8071C4", True, False),
        ("0073C40040059000", True, True),
    ],
)
def test_card_capabilities_are_read(historical: str, short_ids: bool, extended: bool) -> None:
    count = len(bytes.fromhex(historical))
    atr = decode(sealed(f"{0x80 | count:02X}01{historical}"))
    assert atr.capabilities is not None
    assert atr.capabilities.short_file_ids is short_ids
    assert atr.extended_length is extended


@pytest.mark.parametrize("historical", ["", "10AA", "80", "6B05", "0073C4", "8074C40080"])
def test_other_historical_bytes_state_no_capabilities(historical: str) -> None:
    count = len(bytes.fromhex(historical))
    assert decode(sealed(f"{0x80 | count:02X}01{historical}")).capabilities is None


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "3B",
        "3F",
        "00" * 33,
        "3BFF",
        "FFFFFFFF",
        "3B9F95813FFE",
        "3BF0" + "FF" * 30,
        "3B" + "00" * 33,
        CRS_ATR.hex()[:-2] + "8E",
        CRS_ATR.hex() + "00",
        CRS_ATR.hex()[:-2],
        T0_ONLY + "00",
    ],
)
def test_garbage_is_a_named_error(garbage: str) -> None:
    with pytest.raises(MalformedError) as caught:
        decode(garbage)
    assert caught.value.code == "ATR_MALFORMED"


@given(st.binary(max_size=40))
def test_nothing_but_the_named_error_comes_of_random_bytes(raw: bytes) -> None:
    read_everything(raw)


@given(st.integers(1, 24), st.integers(1, 255))
def test_one_flipped_byte_of_a_real_one_never_passes(at: int, flip: int) -> None:
    raw = bytearray(CRS_ATR)
    raw[at] ^= flip
    assert not read_everything(bytes(raw))


@given(st.binary(min_size=1, max_size=31))
def test_nothing_but_the_named_error_comes_of_a_good_check_byte(body: bytes) -> None:
    read_everything(bytes.fromhex(sealed(body.hex())))


def read_everything(raw: bytes) -> bool:
    """Whether it was an answer to reset; every other error but the named one escapes."""
    try:
        atr = Atr.decode(raw)
    except CardlibError as error:
        if error.code != "ATR_MALFORMED":
            raise
        return False
    assert atr.protocol in TransmissionProtocol
    assert 0 <= atr.ifsc <= 255
    assert isinstance(atr.extended_length, bool)
    assert len(atr.historical) <= 15
    return True


@pytest.mark.parametrize("mask", MASKS.values(), ids=lambda mask: mask.name)
def test_the_atr_of_every_mask_says_what_its_traits_say(mask: Mask) -> None:
    """Protocol, CNS version and extended length are in the ATR: nobody is told more."""
    atr = Atr.decode(mask.atr)
    assert atr.protocol is mask.traits.protocol
    assert atr.cns_version == (mask.traits.cns.value if mask.traits.cns else None)
    assert atr.extended_length is mask.traits.extended_length
