"""Commands under the administration keys, byte for byte against the card's own ciphers."""

from dataclasses import replace

import pytest

from cardlib.codec.apdu import Command, Response
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info
from cardlib.dialogues.administration import Administrator
from cardlib.dialogues.pin_reset import PinReset, reset_pin
from cardlib.errors import AuthenticityError, CardAnswerError, PurseRefusedError
from cardlib.keys.derivation import IssuerMasters, PurseKeys
from cardlib.keys.suites import suite_of
from simulator.card.crypto import SUITES
from simulator.card.randomness import SeededRandomness

MASTERS = IssuerMasters(*(bytes([number]) * 32 for number in (1, 2, 3, 4)))
LATER = IssuerMasters(*(bytes([number]) * 32 for number in (5, 6, 7, 8)))
CHALLENGE = bytes.fromhex("1112131415161718")
HEADER_PADDING = bytes.fromhex("80000000")
NEW_KEY = bytes(range(16))


def info_of(suite: int) -> Info:
    return Info(bytes(8), bytes.fromhex("018153"), suite, 0xC0, 1, 4000)


def keys_of(suite: int, *, later: bool = False) -> PurseKeys:
    info = replace(info_of(suite), key_set=2 if later else 1)
    return PurseKeys.derive(LATER if later else MASTERS, info)


def challenged(suite: int, new: PurseKeys | None = None) -> Administrator:
    cipher = suite_of(suite)
    made = Administrator(cipher, keys_of(suite), new, SeededRandomness("administrator"))
    made.fresh_random()
    made.challenged(Response(CHALLENGE, 0x9000))
    return made


def confirmed(suite: int, key: bytes, random: bytes, command: Command) -> Response:
    status = bytes.fromhex("99029000")
    code = SUITES[suite].mac(key, random + command.header + HEADER_PADDING + status)
    return Response(status + b"\x8e\x08" + code, 0x9000)


@pytest.mark.parametrize(("suite", "sizes"), [(1, "2d8721"), (2, "258719")])
def test_change_key_data_is_as_the_profile_has_it(suite: int, sizes: str) -> None:
    keys, cipher = keys_of(suite), SUITES[suite]
    volley = next(challenged(suite).administer(Command(0x90, 0x24, 0, 0x83, NEW_KEY)))
    raw = bytes(volley[0])

    assert raw[:8].hex() == "9c240083" + sizes + "01"
    assert raw[-1] == 0
    objects, code = raw[5:-11], raw[-9:-1]
    assert raw[-11:-9].hex() == "8e08"
    assert cipher.decipher(keys.admin_encipher, CHALLENGE, objects[3:]) == NEW_KEY
    covered = CHALLENGE + raw[:4] + HEADER_PADDING + objects
    assert code == cipher.mac(keys.admin_command, covered)


@pytest.mark.parametrize("suite", [1, 2])
def test_pin_reset_is_as_the_profile_has_it(suite: int) -> None:
    info, keys = info_of(suite), keys_of(suite)

    class Authority:
        def reset(self, _info: Info) -> PinReset:
            return PinReset(keys, Pin("24680"))

    dialogue = reset_pin(Authority(), SeededRandomness("reset"))
    next(dialogue)
    dialogue.send((Response(b"", 0x9000), Response(bytes(info), 0x9000)))
    command, *_ = dialogue.send((Response(CHALLENGE, 0x9000), Response(b"", 0x9000)))
    raw = bytes(command)

    assert raw[:8].hex() == "0c2c029c1d871101"
    plain = SUITES[suite].decipher(keys.admin_encipher, CHALLENGE, raw[8:24])
    assert plain == b"24680\xff\xff\xff"


@pytest.mark.parametrize("later", [False, True])
def test_the_answer_may_be_under_the_old_or_the_new_key(later: bool) -> None:
    new = keys_of(1, later=True)
    made = challenged(1, new)
    dialogue = made.administer(Command(0x90, 0x24, 0, 0x83, NEW_KEY))
    random = made.random
    command, *_ = next(dialogue)
    key = (new if later else keys_of(1)).admin_response
    good = confirmed(1, key, random, command)

    with pytest.raises(StopIteration):
        dialogue.send((good, Response(CHALLENGE, 0x9000), Response(b"", 0x9000)))


def test_an_answer_under_a_third_key_is_not_believed() -> None:
    made = challenged(1, keys_of(1, later=True))
    dialogue = made.administer(Command(0x90, 0x24, 0, 0x83, NEW_KEY))
    random = made.random
    command, *_ = next(dialogue)
    forged = confirmed(1, bytes(16), random, command)

    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        dialogue.send((forged, Response(CHALLENGE, 0x9000), Response(b"", 0x9000)))


def test_old_keys_are_tried_then_the_new_encipherment_then_the_new_command_key() -> None:
    old, new = keys_of(1), keys_of(1, later=True)
    dialogue = challenged(1, new).administer(Command(0x90, 0x24, 0, 0x83, NEW_KEY))
    commands = [next(dialogue)[0]]
    for _ in range(2):
        dialogue.send((Response(b"", 0x6988),))
        commands.append(dialogue.send((Response(CHALLENGE, 0x9000), Response(b"", 0x9000)))[0])
    with pytest.raises(CardAnswerError):
        dialogue.send((Response(b"", 0x6988),))

    ways = (
        (old.admin_command, old.admin_encipher),
        (old.admin_command, new.admin_encipher),
        (new.admin_command, new.admin_encipher),
    )
    for command, (mac_key, secret) in zip(commands, ways, strict=True):
        raw = bytes(command)
        covered = CHALLENGE + raw[:4] + HEADER_PADDING + raw[5:-11]
        assert raw[-9:-1] == SUITES[1].mac(mac_key, covered)
        assert SUITES[1].decipher(secret, CHALLENGE, raw[8:-11]) == NEW_KEY


def test_a_refusal_for_another_reason_ends_it() -> None:
    new = keys_of(1, later=True)
    dialogue = challenged(1, new).administer(Command(0x90, 0x24, 0, 0x83, NEW_KEY))
    next(dialogue)

    with pytest.raises(CardAnswerError):
        dialogue.send((Response(b"", 0x6A80),))


def test_a_card_without_a_purse_of_ours_is_refused() -> None:
    class Nobody:
        def reset(self, _info: Info) -> PinReset | None:
            return None

    dialogue = reset_pin(Nobody(), SeededRandomness("reset"))
    next(dialogue)
    dialogue.send((Response(b"", 0x9000), Response(bytes(info_of(1)), 0x9000)))
    with pytest.raises(PurseRefusedError, match="PURSE_NOT_SERVED"):
        dialogue.send((Response(b"", 0x6A82),))
