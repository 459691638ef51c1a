"""Structures for readers with a keypad, against bytes written down from PC/SC part 10.

The golden bytes below were made field by field from the specification (revision 2.02.09,
2.5.2 and 2.5.3; numbers little endian) and not by any code of ours.
"""

import pytest

from cardlib.codec.files import PinReference
from cardlib.codec.pin_pad import (
    GET_FEATURES,
    Completion,
    Feature,
    Language,
    PadProperties,
    change_blank,
    control_code,
    decode_features,
    decode_pin_properties,
    decode_tlv_properties,
    modify_structure,
    verify_blank,
    verify_structure,
)
from cardlib.errors import MalformedError

VERIFY_PURSE_PIN = bytes.fromhex(
    "1E"  # bTimerOut: 30 s
    "14"  # bTimerOut2: 20 s after the first key
    "82"  # bmFormatString: bytes, position 0, left, ASCII
    "08"  # bmPINBlockString: no length field, block of 8 bytes
    "00"  # bmPINLengthFormat
    "0805"  # wPINMaxExtraDigit 0508: at least 5 digits, at most 8
    "02"  # bEntryValidationCondition: the green key
    "01"  # bNumberMessage
    "1004"  # wLangId 0410: Italian (Italy)
    "00"  # bMsgIndex
    "000000"  # bTeoPrologue
    "0D000000"  # ulDataLength: 13
    "0020009C08FFFFFFFFFFFFFFFF"  # VERIFY, P2 9C, eight bytes of padding
)
CHANGE_PURSE_PIN = bytes.fromhex(
    "1E14820800"
    "00"  # bInsertionOffsetOld
    "08"  # bInsertionOffsetNew
    "0805"
    "03"  # bConfirmPIN: old PIN asked, new PIN twice
    "02"
    "03"  # bNumberMessage
    "0904"  # wLangId 0409: English (United States)
    "000102"  # bMsgIndex1 to 3
    "000000"
    "15000000"  # ulDataLength: 21
    "0024009C10FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
)


def test_verify_of_the_purse_pin_is_what_the_specification_says() -> None:
    assert verify_structure(verify_blank(), Language.ITALIAN) == VERIFY_PURSE_PIN


def test_change_of_the_purse_pin_is_what_the_specification_says() -> None:
    assert modify_structure(change_blank(), Language.ENGLISH) == CHANGE_PURSE_PIN


@pytest.mark.parametrize(("reference", "p2"), [(PinReference.CNS_PIN, 0x10), (0x90, 0x90)])
def test_the_cards_own_pin_differs_in_its_reference_only(reference: int, p2: int) -> None:
    expected = bytearray(VERIFY_PURSE_PIN)
    expected[22] = p2
    assert verify_structure(verify_blank(reference), Language.ITALIAN) == bytes(expected)


def test_a_reader_without_display_is_told_to_show_nothing() -> None:
    silent = verify_structure(verify_blank(), Language.ITALIAN, PadProperties(0, 0))
    assert silent == VERIFY_PURSE_PIN[:8] + b"\x00" + VERIFY_PURSE_PIN[9:]


def test_a_reader_without_a_green_key_ends_by_what_it_knows() -> None:
    keyless = PadProperties(completion=Completion.MAX_DIGITS | Completion.TIMEOUT)
    assert verify_structure(verify_blank(), Language.ITALIAN, keyless)[7] == 0x05


def test_the_question_for_features_differs_by_operating_system() -> None:
    assert control_code(GET_FEATURES, windows=False) == 0x42000D48
    assert control_code(GET_FEATURES, windows=True) == 0x00313520


def test_features_are_tag_length_and_a_big_endian_code() -> None:
    told = bytes.fromhex("060442330006 0704 42330007 1204 42330012")
    assert decode_features(told) == {
        Feature.VERIFY_PIN_DIRECT: 0x42330006,
        Feature.MODIFY_PIN_DIRECT: 0x42330007,
        Feature.TLV_PROPERTIES: 0x42330012,
    }


@pytest.mark.parametrize("told", ["06", "0604", "0604423300", "060342330006"])
def test_a_broken_list_of_features_is_malformed(told: str) -> None:
    with pytest.raises(MalformedError):
        decode_features(bytes.fromhex(told))


def test_properties_say_display_digits_and_longest_apdu() -> None:
    # wLcdLayout 0210: two lines of 16; 261 bytes in an APDU; a tag of the future
    told = bytes.fromhex("01021002 020107 060104 07010C 0A0405010000 7F020102")
    properties = decode_tlv_properties(told)
    assert properties == PadProperties(16, 2, Completion(7), 4, 12, 261)
    assert properties.takes_all_pins
    assert decode_pin_properties(bytes.fromhex("10020200")) == PadProperties(16, 2, Completion(2))


@pytest.mark.parametrize("digits", ["060106 07010C", "060104 070106"])
def test_a_reader_that_cannot_take_every_pin_says_so(digits: str) -> None:
    assert not decode_tlv_properties(bytes.fromhex(digits)).takes_all_pins
