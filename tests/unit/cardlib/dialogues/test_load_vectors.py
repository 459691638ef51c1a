"""The load's writes, byte for byte as the published vectors have them (suite 1)."""

from typing import Any

import pytest

from cardlib.codec.apdu import Response
from cardlib.codec.files import EF_GRANT, EF_SPEND
from cardlib.codec.purse import EMPTY_GRANT, Info
from cardlib.codec.tlv import Tlv, encode
from cardlib.dialogues.attested import read_record
from cardlib.dialogues.load import CardState, GrantWrite, LoadPlan, load
from cardlib.dialogues.volley import Answers, Volley
from cardlib.keys.derivation import IssuerMasters, PurseKeys
from cardlib.keys.grants import SignedGrant
from cardlib.keys.secure_messaging import mac
from cardlib.keys.suites import suite_of
from tests.unit.cardlib.dialogues.purse_bench import NotingAuthority, vectors

ALL = vectors()
SUITE: dict[str, Any] = ALL["suites"]["aes-128"]
INPUTS: dict[str, Any] = ALL["inputs"]
INFO = Info.decode(bytes.fromhex(SUITE["info"]))
MASTERS = IssuerMasters(
    bytes.fromhex(INPUTS["m_debit"]),
    bytes.fromhex(INPUTS["m_attest"]),
    bytes.fromhex(INPUTS["m_load"]),
    bytes(32),
)
KEYS = PurseKeys.derive(MASTERS, INFO)
SIGNED = SignedGrant.decode(bytes.fromhex(SUITE["grant_clear"] + SUITE["grant_signature"]))


class GivenRandoms:
    """The vectors' host randoms, in the order a load asks for them."""

    def __init__(self) -> None:
        names = ("rnd_ifd", "rnd_ifd_receipt", "rnd_ifd_zero")
        self._values = [bytes.fromhex(INPUTS["load"][name]) for name in names]

    def bytes(self, count: int) -> bytes:
        value = self._values.pop(0)
        assert len(value) == count
        return value


def attested(file: Any, number: int, record: bytes, random: bytes) -> Response:
    """An answer that the vectors leave out: a read under K_TC."""
    objects = bytes(Tlv(0x81, record))
    code = mac(suite_of(1), KEYS.attest, random, read_record(file, number).header, objects)
    return Response(objects + encode([Tlv(0x8E, code)]), 0x9000)


def test_the_writes_of_a_load_are_those_of_the_vectors() -> None:
    load_inputs = INPUTS["load"]
    random = bytes.fromhex(load_inputs["rnd_ifd"])
    grant_record = bytes.fromhex(SUITE["grant_record"])
    spend = bytes.fromhex(SUITE["spend_4"])
    plan = LoadPlan(
        GrantWrite(load_inputs["grant_record"], SIGNED),
        (load_inputs["superseded_record"],),
        int(load_inputs["map"], 16),
    )
    authority = NotingAuthority(lambda state: _noted(state, plan), keys_of=KEYS)
    dialogue = load(authority, GivenRandoms())
    script = list(SUITE["load_writes"])

    def answer(volley: Volley) -> Answers:
        answers = []
        for command in volley:
            expected = script.pop(0)
            assert bytes(command).hex() == expected["command"], expected["name"]
            answers.append(Response.decode(bytes.fromhex(expected["response"])))
        return tuple(answers)

    next(dialogue)
    volley = dialogue.send((Response(b"", 0x9000), Response(bytes(INFO), 0x9000)))
    reads = (
        attested(EF_SPEND, 1, spend, random),
        attested(EF_GRANT, 1, grant_record, random),
        *(attested(EF_GRANT, number, EMPTY_GRANT, random) for number in range(2, 9)),
    )
    volley = dialogue.send((*answer(volley[:3]), *reads))
    volley = dialogue.send(answer(volley))
    volley = dialogue.send(answer(volley))
    with pytest.raises(StopIteration) as stop:
        dialogue.send(answer(volley))

    assert stop.value.value == plan
    assert not script
    assert authority.notes == ["granted 2", "cleared 1"]


def _noted(state: CardState, plan: LoadPlan) -> LoadPlan:
    assert state.newest.spend is not None
    assert state.newest.spend.ctr == 4
    assert state.grants[0].signed == SIGNED
    return plan
