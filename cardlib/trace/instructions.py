"""What each instruction says: one function each, from command and answer to details."""

from collections.abc import Callable

from cardlib.codec.apdu import CLA_SECURE, Command, Response
from cardlib.codec.applet import INS_DEBIT, INS_INITIALISE
from cardlib.codec.commands import (
    CHALLENGE_SIZE,
    INS_READ_RECORD,
    INS_UPDATE_BINARY,
    INS_UPDATE_RECORD,
)
from cardlib.codec.files import EF_INFO, EF_SPEND, KeyId, PinReference
from cardlib.codec.status import pin_tries_left
from cardlib.keys.secure_messaging import TAG_MAC, TAG_PLAIN
from cardlib.trace.applet import tell_debit, tell_initialise
from cardlib.trace.details import Detail
from cardlib.trace.names import INS_CHANGE, INS_RESET_RETRY, INS_VERIFY
from cardlib.trace.places import purse_directory, select_words, selected_path
from cardlib.trace.records import info_detail, record_detail
from cardlib.trace.session import TraceSession, object_value

Details = tuple[Detail, ...]
Teller = Callable[[TraceSession, Command, Response], Details]

_SELECT, _READ_BINARY = 0xA4, 0xB0
_GET_CHALLENGE, _GIVE_RANDOM, _MSE = 0x84, 0x86, 0x22
_SECURE_MESSAGING = 0x0C
_LOCAL = 0x80
_PINS: dict[int, str] = {
    PinReference.CNS_PIN: "pin_of_card",
    PinReference.CNS_PUK: "puk_of_card",
    PinReference.PURSE_PIN: "pin_of_purse",
    PinReference.PURSE_PUK: "puk_of_purse",
}
_ANSWERS_FOR: dict[int, str] = {
    KeyId.DEBIT_RESPONSE: "answers_for_shop",
    KeyId.ATTEST: "answers_for_backend",
}
_SHOP = (KeyId.DEBIT_COMMAND, KeyId.DEBIT_RESPONSE)
_LOAD = (KeyId.LOAD_COMMAND, KeyId.LOAD_RESPONSE)
_ADMINISTRATION = (KeyId.ADMIN_COMMAND, KeyId.ADMIN_RESPONSE)


def tell(session: TraceSession, command: Command, response: Response) -> Details:
    """The details of one command and its whole answer; moves ``session`` on."""
    return _TELLERS.get(command.ins, _other)(session, command, response)


def _select(session: TraceSession, command: Command, response: Response) -> Details:
    if response.ok:
        session.enter(purse_directory(selected_path(command) or ()))
    return (Detail("selects", {"name": select_words(command)}),)


def _read_binary(session: TraceSession, command: Command, response: Response) -> Details:
    whole_info = (command.p1, command.p2) == (_LOCAL | EF_INFO.sfi, 0)
    if not whole_info or len(response.data) != EF_INFO.size:
        return (Detail("bytes", {"count": len(response.data)}),) if response.data else ()
    session.info, details = info_detail(response.data)
    return details


def _get_challenge(session: TraceSession, _command: Command, response: Response) -> Details:
    if not response.ok:
        return ()
    session.challenge = response.data if len(response.data) == CHALLENGE_SIZE else None
    return (Detail("challenge", {"random": response.data.hex()}),)


def _give_random(session: TraceSession, command: Command, response: Response) -> Details:
    if response.ok:
        session.host_random = command.data
    return (Detail("host_random", {"random": command.data.hex()}),)


def _environment(session: TraceSession, command: Command, response: Response) -> Details:
    if command.p1 != 0x21 or len(command.data) != 3:
        return ()
    key = command.data[2]
    if response.ok:
        session.answer_key = key
    return (Detail(_ANSWERS_FOR.get(key, "answers_under"), {"id": f"{key:02X}"}),)


def _pin(session: TraceSession, command: Command, response: Response) -> Details:
    if command.cla & _SECURE_MESSAGING:
        return _other(session, command, response)
    key = _PINS.get(command.p2) or _PINS.get(command.p2 & ~_LOCAL)
    which = (Detail(key),) if key else ()
    left = pin_tries_left(response.status)
    return which if left is None else (*which, Detail("tries_left", {"left": left}))


def _read_record(session: TraceSession, command: Command, response: Response) -> Details:
    if not response.ok:
        return ()
    sfi = command.p2 >> 3
    if command.cla & CLA_SECURE != CLA_SECURE:
        return record_detail(sfi, response.data, session.record_key)
    record = object_value(response.data, TAG_PLAIN) or b""
    told = record_detail(sfi, record, session.record_key)
    verdict = session.judge(command, response.data, session.answer_key, session.host_random)
    return (*told, Detail("answer_mac", {"mac": verdict}))


def _update_record(session: TraceSession, command: Command, response: Response) -> Details:
    sfi = command.p2 >> 3
    record = object_value(command.data, TAG_PLAIN) or b""
    told = record_detail(sfi, record, session.record_key)
    macs = _macs(session, command, response, _SHOP if sfi == EF_SPEND.sfi else _LOAD)
    return (*told, *macs)


def _update_binary(session: TraceSession, command: Command, response: Response) -> Details:
    return _macs(session, command, response, _LOAD)


def _other(session: TraceSession, command: Command, response: Response) -> Details:
    if not command.cla & _SECURE_MESSAGING or object_value(command.data, TAG_MAC) is None:
        return ()
    return _macs(session, command, response, _ADMINISTRATION)


def _macs(
    session: TraceSession, command: Command, response: Response, keys: tuple[int, int]
) -> Details:
    challenge = session.take_challenge()
    verdict = session.judge(command, command.data, keys[0], challenge)
    asked = Detail("command_mac", {"mac": verdict})
    if not response.ok:
        return (asked,)
    verdict = session.judge(command, response.data, keys[1], session.host_random)
    return asked, Detail("answer_mac", {"mac": verdict})


_TELLERS: dict[int, Teller] = {
    INS_INITIALISE: tell_initialise,
    INS_DEBIT: tell_debit,
    _SELECT: _select,
    _READ_BINARY: _read_binary,
    INS_READ_RECORD: _read_record,
    INS_UPDATE_RECORD: _update_record,
    INS_UPDATE_BINARY: _update_binary,
    _GET_CHALLENGE: _get_challenge,
    _GIVE_RANDOM: _give_random,
    _MSE: _environment,
    INS_VERIFY: _pin,
    INS_CHANGE: _pin,
    INS_RESET_RETRY: _pin,
}
