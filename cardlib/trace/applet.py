"""INITIALISE FOR DEBIT and DEBIT of an applet card in a trace (``cardlib.codec.applet``).

The MACs of DEBIT are over a record that only card and module build; they are not judged.
"""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CTR

from cardlib.codec.apdu import Command, Response
from cardlib.codec.applet import AppletState, DebitOrder, InitialiseAnswer, state_counter_block
from cardlib.codec.files import KeyId
from cardlib.errors import CardlibError
from cardlib.trace.details import Detail
from cardlib.trace.records import info_detail, spend_details
from cardlib.trace.session import TraceSession
from cardlib.wire.money import Money

Details = tuple[Detail, ...]


def tell_initialise(session: TraceSession, command: Command, response: Response) -> Details:
    """EF.INFO, the newest record where K_REC is known, and whether the MAC is good."""
    asked = Detail("host_random", {"random": command.data.hex()})
    if not response.ok:
        return (asked,)
    session.host_random = command.data
    try:
        answer = InitialiseAnswer.decode(response.data)
    except CardlibError as error:
        return asked, Detail("record_bad", {"name": "INITIALISE", "why": error.code})
    session.info, told = info_detail(bytes(answer.info))
    verdict = session.judge_code(
        command, answer.covered, answer.code, KeyId.DEBIT_RESPONSE, command.data
    )
    state = _state(answer, command.data, session.record_key)
    return asked, *told, *state, Detail("answer_mac", {"mac": verdict})


def tell_debit(_session: TraceSession, command: Command, _response: Response) -> Details:
    """What is taken from each wallet, and by whom."""
    try:
        order, _ = DebitOrder.decode(command)
    except (CardlibError, ValueError):
        return ()
    taken = (
        Detail(f"takes_{order.type.name.lower()}", {"slot": slot, "amount": Money(cents)})
        for slot, cents in order.cents.items()
    )
    return (*taken, Detail("ordered_by", {"terminal": order.terminal, "seq": order.seq}))


def _state(answer: InitialiseAnswer, random: bytes, key: bytes | None) -> Details:
    if key is None:
        return ()
    block = state_counter_block(answer.challenge, random)
    decryptor = Cipher(AES128(key), CTR(block)).decryptor()
    try:
        state = AppletState.decode(decryptor.update(answer.state) + decryptor.finalize())
    except CardlibError:
        return (Detail("record_torn"),)
    return spend_details(state.newest)
