"""Questions and answers of a probe, and what a question may do to a card."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TypeVar

from cardlib.codec.apdu import Command, Response
from cardlib.codec.purse import Info
from cardlib.dialogues.volley import Dialogue
from cardlib.errors import CardlibError
from cardlib.keys.derivation import PurseKeys

T = TypeVar("T")


class Reply(StrEnum):
    """What the chip said."""

    YES = "yes"
    NO = "no"
    NOT_ASKED = "not_asked"


class Needs(Enum):
    """What must be so before a question is asked."""

    CARD = auto()
    """Nothing: it only reads."""
    PURSE = auto()
    """A purse directory; it only reads."""
    NO_MONEY = auto()
    """No purse of a real issuer: a chip might count a question for tries left as a try, or
    know another command by a maker's code."""
    TRAINING = auto()
    """A training purse and a person's word: it sends writes that the chip must refuse."""
    KEYS = auto()
    """The same, with the published keys: it writes one record."""


READS = frozenset((0xA4, 0xB0, 0xB2, 0x84, 0x86, 0x22, 0xC0))
"""SELECT, READ BINARY and RECORD, GET CHALLENGE, GIVE RANDOM, MSE SET, GET RESPONSE: of
these only the first three touch a file, and the rest lives until the next reset."""
VERIFY = 0x20
LISTINGS = (bytes.fromhex("80160200"), bytes.fromhex("B0FC0000"))
"""DIRECTORY of CardOS and SCAN DF of other makers, as OpenSC sends them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question; ``detail`` in no language: status words, bytes, why it was not asked."""

    question: str
    reply: Reply
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """``purse``: ``none``, ``live`` or ``training``."""

    purse: str
    answers: tuple[Answer, ...]

    def __getitem__(self, question: str) -> Answer:
        """The answer to a question by its name; KeyError for others."""
        return next(iter([item for item in self.answers if item.question == question]))


@dataclass(slots=True)
class Subject:
    """The card that is asked, as far as it is known."""

    directory: int | None = None
    info: Info | None = None
    live: bool = False
    keys: PurseKeys | None = None
    """Once they are known to be the published ones."""
    tries_cost: bool = False
    """Asking for the tries took one: nobody asks again."""


Said = tuple[bool, str]
Question = Callable[[Subject], Dialogue[Said]]
Questions = Mapping[str, Question]


class ForbiddenCommandError(CardlibError):
    """A bug of this package: a question wanted more than it may."""

    default_code = "PROBE_FORBIDDEN"


def only_reads(dialogue: Dialogue[T], *, no_money: bool = False) -> Dialogue[T]:
    """Passes a dialogue on; ForbiddenCommandError before a command that is no read.

    ``no_money`` also lets through VERIFY without a PIN, and the makers' lists of files.
    """
    try:
        volley = next(dialogue)
        while True:
            for command in volley:
                _require_read(command, no_money=no_money)
            try:
                answers = yield volley
            except Exception as error:  # noqa: BLE001 - passed on unchanged, never swallowed
                volley = dialogue.throw(error)
            else:
                volley = dialogue.send(answers)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _require_read(command: Command, *, no_money: bool) -> None:
    asks = (command.ins == VERIFY and not command.data) or command.header in LISTINGS
    if command.ins not in READS and not (no_money and asks):
        raise ForbiddenCommandError(command=f"{command.ins:02X}")


def word(answer: Response) -> str:
    """The status word, four digits."""
    return f"{answer.status:04X}"
