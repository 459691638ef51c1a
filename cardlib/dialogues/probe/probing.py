"""The probe itself: who may be asked what, in which order."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cardlib.codec.commands import read_info, select_purse
from cardlib.codec.files import DF_BUONO_FIRST, DF_BUONO_LAST
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info
from cardlib.dialogues.probe.answers import (
    Answer,
    ForbiddenCommandError,
    Needs,
    Question,
    Questions,
    Reply,
    Report,
    Subject,
    only_reads,
)
from cardlib.dialogues.probe.cns_side import CNS_FILES, CNS_LISTINGS
from cardlib.dialogues.probe.reading import IN_A_PURSE, ON_ANY_CARD
from cardlib.dialogues.probe.writing import (
    ABOUT_TRIES,
    REFUSED_WRITES,
    Hand,
    keyed_questions,
    newest,
)
from cardlib.dialogues.volley import Dialogue, send
from cardlib.errors import CardGoneError, CardlibError, MalformedError
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.training import TRAINING_MASTERS, TRAINING_PIN
from cardlib.wire.ids import TRAINING_ISSUER

NOT_OFFERED = "COMMAND_TOO_LONG"
"""The card's answer to reset says that it takes no such command: it is not sent."""
OF_THE_PURSE = ("tries_told_9c",)
NEVER_ASKED = (
    "hash_covers_padding", "additional_data_zeros", "change_with_implicit_pin",
    "unblock_by_puk_alone", "key_change_answer_key", "own_initialisation",
)  # fmt: skip
"""Points of the profile that cannot be asked: the holder's data and PINs, keys, an unused chip."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A person's word that a training purse may be written; its PIN."""

    pin: Pin = field(default_factory=lambda: Pin(TRAINING_PIN))


def probe_card(writing: Writing | None = None) -> Dialogue[Report]:
    """Asks all that may be asked of this card; a card that goes away ends it early."""
    subject = yield from only_reads(_look())
    answers: list[Answer] = []
    try:
        yield from _ask_all(subject, writing, answers)
    except CardGoneError as gone:
        answers.append(Answer("card_stayed", Reply.NO, gone.code))
    asked = {item.question for item in answers}
    missing = (name for _, name, _ in catalogue() if name not in asked)
    answers += [Answer(name, Reply.NOT_ASKED, "card_gone") for name in missing]
    answers += [Answer(name, Reply.NOT_ASKED, "impossible") for name in NEVER_ASKED]
    return Report(_purse_of(subject), tuple(answers))


def catalogue(hand: Hand | None = None) -> Iterator[tuple[Needs, str, Question | None]]:
    """All questions in order; those that need keys have nobody to ask without ``hand``."""
    plain: tuple[tuple[Needs, Questions], ...] = (
        (Needs.CARD, ON_ANY_CARD),
        (Needs.CARD, CNS_FILES),
        (Needs.PURSE, IN_A_PURSE),
        (Needs.NO_MONEY, CNS_LISTINGS),
        (Needs.NO_MONEY, ABOUT_TRIES),
        (Needs.TRAINING, REFUSED_WRITES),
    )
    for needs, questions in plain:
        for name, question in questions.items():
            yield needs, name, question
    for name in KEYED:
        yield Needs.KEYS, name, None if hand is None else keyed_questions(hand)[name]


KEYED = (
    "mse_gives_attestation", "order_5_pin_6982", "order_6_record_6a83", "order_7_length_6700",
    "ring_turns",
)  # fmt: skip


def _look() -> Dialogue[Subject]:
    """Which purses there are; one that cannot be understood counts as somebody's money."""
    subject = Subject()
    for directory in range(DF_BUONO_FIRST, DF_BUONO_LAST + 1):
        if not (yield from send(select_purse(directory))).ok:
            break
        info = _info((yield from send(read_info())).data)
        subject.live |= info is None or info.issuer != TRAINING_ISSUER
        if subject.directory is None:
            subject.directory, subject.info = directory, info
    return subject


def _info(data: bytes) -> Info | None:
    try:
        return Info.decode(data)
    except CardlibError:
        return None


def _purse_of(subject: Subject) -> str:
    if subject.directory is None:
        return "none"
    return "live" if subject.live else "training"


def _ask_all(subject: Subject, writing: Writing | None, answers: list[Answer]) -> Dialogue[None]:
    hand = yield from _hand(subject, writing)
    for needs, name, question in catalogue(hand):
        barred = _barred(needs, name, subject, writing, hand)
        if barred or question is None:
            answers.append(Answer(name, Reply.NOT_ASKED, barred))
        else:
            answers.append((yield from _ask(needs, name, question, subject)))


def _hand(subject: Subject, writing: Writing | None) -> Dialogue[Hand | None]:
    """The keys, when they are the published ones: a good MAC tells."""
    info = subject.info
    if writing is None or info is None or subject.live:
        return None
    try:
        hand = Hand(PurseKeys.derive(TRAINING_MASTERS, info), info.suite, writing.pin)
        yield from only_reads(newest(hand, subject))
    except CardGoneError:
        raise
    except CardlibError:
        return None
    return hand


def _barred(
    needs: Needs, name: str, subject: Subject, writing: Writing | None, hand: Hand | None
) -> str:
    """Why a question is not asked; empty when it may be."""
    if needs is Needs.CARD:
        return ""
    if subject.directory is None and (needs is not Needs.NO_MONEY or name in OF_THE_PURSE):
        return "no_purse"
    if needs is Needs.PURSE:
        return ""
    if subject.live:
        return "live_purse"
    if needs is Needs.NO_MONEY:
        return "asking_costs" if subject.tries_cost and name in ABOUT_TRIES else ""
    if writing is None:
        return "not_confirmed"
    return "other_keys" if needs is Needs.KEYS and hand is None else ""


def _ask(needs: Needs, name: str, question: Question, subject: Subject) -> Dialogue[Answer]:
    guarded = question(subject)
    if needs in (Needs.CARD, Needs.PURSE, Needs.NO_MONEY):
        no_money = needs is Needs.NO_MONEY and not subject.live
        guarded = only_reads(guarded, no_money=no_money)
    try:
        good, detail = yield from guarded
    except (CardGoneError, ForbiddenCommandError):
        raise
    except MalformedError as error:
        offered = error.code != NOT_OFFERED
        return Answer(name, Reply.NO if offered else Reply.NOT_ASKED, error.code)
    except CardlibError as error:  # the chip answered otherwise than anybody could read
        return Answer(name, Reply.NO, _told(error))
    return Answer(name, Reply.YES if good else Reply.NO, detail)


def _told(error: CardlibError) -> str:
    return str(error.facts.get("status") or error.code)
