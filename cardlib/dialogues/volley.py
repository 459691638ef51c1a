"""Volleys: how a dialogue talks to a card without doing input or output.

A dialogue is a generator. Each ``yield`` hands over a *volley*: commands to be
transmitted in order, stopping after the first whose status is not 9000. What
comes back are the answers so far, so a short tuple means that its last answer
refused. At a till a volley is transmitted on the spot (:func:`converse`); a
backend relays one volley a round trip.

::

    def read_info() -> Dialogue[Info]:
        answers = yield from send_all(select_purse(), read_info_command())
        return Info.decode(answers[-1].data)
"""

from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar

from cardlib.codec.apdu import Command, Response
from cardlib.errors import CardAnswerError, MalformedError

T = TypeVar("T")

Volley: TypeAlias = tuple[Command, ...]
Answers: TypeAlias = tuple[Response, ...]
Dialogue: TypeAlias = Generator[Volley, Answers, T]
Transmit: TypeAlias = Callable[[bytes], bytes]
"""Command APDU in, whole response APDU out; ``CardConnection.transmit`` is one."""


def send(command: Command) -> Dialogue[Response]:
    """One command, whatever its answer says; MalformedError when there is none."""
    answers = yield (command,)
    if len(answers) != 1:
        raise MalformedError("answers", f"{len(answers)} for one command", "VOLLEY_SHAPE")
    return answers[0]


def send_all(*commands: Command) -> Dialogue[Answers]:
    """One volley that must succeed: CardAnswerError names the command that was refused."""
    answers = yield commands
    require_all(commands, answers)
    return answers


def require_all(volley: Volley, answers: Answers) -> None:
    """CardAnswerError unless every command of ``volley`` was answered 9000."""
    check_shape(volley, answers)
    refused = answers[-1] if answers else None
    if refused is not None and not refused.ok:
        raise CardAnswerError(refused.status, f"INS {volley[len(answers) - 1].ins:02X}")


def check_shape(volley: Volley, answers: Answers) -> None:
    """MalformedError unless the answers are those of a volley stopped by the rule above."""
    stopped = [number for number, answer in enumerate(answers) if not answer.ok]
    expected = stopped[0] + 1 if stopped else len(volley)
    if len(answers) != expected or len(answers) > len(volley):
        raise MalformedError(
            "answers", f"{len(answers)} answers to {len(volley)} commands", "VOLLEY_SHAPE"
        )


def transmit_volley(volley: Volley, transmit: Transmit) -> Answers:
    """Sends the commands in order and stops after the first that is not answered 9000."""
    answers: list[Response] = []
    for command in volley:
        answers.append(Response.decode(transmit(bytes(command))))
        if not answers[-1].ok:
            break
    return tuple(answers)


def converse(dialogue: Dialogue[T], transmit: Transmit) -> T:
    """Runs a dialogue against a card within reach and returns what it returns.

    What ``transmit`` raises (CardGoneError above all) is thrown into the
    dialogue at its ``yield``: it may turn it into a result, most let it pass.
    """
    try:
        volley = next(dialogue)
        while True:
            try:
                answers = transmit_volley(volley, transmit)
            except Exception as error:  # noqa: BLE001 - passed on unchanged, never swallowed
                volley = dialogue.throw(error)
            else:
                volley = dialogue.send(answers)
    except StopIteration as stop:
        result: T = stop.value
        return result
