"""Command and response APDUs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.codec.apdu import Command, Response
from cardlib.errors import CardlibError, MalformedError

byte = st.integers(0, 255)
commands = st.builds(
    Command,
    byte,
    byte,
    byte,
    byte,
    st.binary(max_size=600),
    st.none() | st.integers(1, 65536),
)


@given(commands)
def test_a_command_survives_its_own_encoding(command: Command) -> None:
    assert Command.decode(bytes(command)) == command


@pytest.mark.parametrize("size", [1, 127, 128, 255, 256, 65535])
def test_data_of_every_boundary_length_is_carried_whole(size: int) -> None:
    command = Command(0, 0xD6, 0, 0, bytes(size), 256)

    assert Command.decode(bytes(command)).data == bytes(size)


@pytest.mark.parametrize(
    ("hexadecimal", "data", "le"),
    [
        ("00A4080C", b"", None),
        ("00B0810011", b"", 17),
        ("0084000000", b"", 256),
        ("80860000080102030405060708", bytes.fromhex("0102030405060708"), None),
    ],
)
def test_the_four_short_cases_are_told_apart(hexadecimal: str, data: bytes, le: int | None) -> None:
    command = Command.decode(bytes.fromhex(hexadecimal))

    assert (command.data, command.le) == (data, le)


@given(st.binary(max_size=300))
def test_no_bytes_at_all_crash_the_command_parser(apdu: bytes) -> None:
    try:
        command = Command.decode(apdu)
    except CardlibError:
        return

    assert len(bytes(command)) <= len(apdu)


def test_an_answer_shorter_than_a_status_word_is_refused() -> None:
    with pytest.raises(MalformedError):
        Response.decode(b"\x90")
