"""Fuzzes the card: every sequence of commands is answered, none changes what it may not.

A round takes a recorded dialogue, goes along with it for a while, changes one command
(or sends one of its own, leaves one out, sends one twice, resets), and goes on. After
every command the memory is compared with what it was. Allowed are a try less at a PIN; a
change of a PIN by who knows the old one or the PUK; and a write that a holder of the keys
issued in this very dialogue, once.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cardlib.codec.apdu import Command
from cardlib.errors import MalformedError
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Directory
from tests.fuzz.changes import changed, made_up, random_bytes
from tests.fuzz.dialogues import PLAIN, Recording, recordings
from tests.fuzz.finding import FindingError

INTERNAL = b"\x6f\x00"
RESPONSE_MAX = 65_536 + 2
CHANGE_PIN, UNBLOCK_PIN, VERIFY = 0x24, 0x2C, 0x20
TAIL_MAX = 12


def play(seed: int, number: int) -> int:
    """One round; the number of commands it sent. Raises FindingError."""
    random = Random(f"card {seed} {number}")
    recording = random.choice(recordings())
    watch = Watch(recording, f"card, seed {seed}, round {number}: {recording}")
    at = random.randrange(len(recording.talk))
    for command, answer in recording.talk[:at]:
        watch.send(command)
        if watch.talk[-1][1] != answer:
            raise watch.finding("the same commands are answered otherwise")
    for step in _from_here(random, recording, at):
        if step is None:
            watch.card.reset()
        else:
            watch.send(step)
    return len(watch.talk)


def _from_here(random: Random, recording: Recording, at: int) -> Iterator[bytes | None]:
    """The change at ``at``, and a tail; None is a reset."""
    rest = list(recording.commands[at + 1 :])
    own = recording.commands[at]
    kind = random.randrange(12)
    if kind < 6:
        yield changed(random, own)
    elif kind == 6:
        yield from (made_up(random), own)
    elif kind == 7:
        yield from (random_bytes(random), own)
    elif kind == 8:
        yield from (own, own)
    elif kind == 9:
        yield from (random.choice(recording.commands), own)
    elif kind == 10:
        yield None
    elif rest:
        rest[0], own = own, rest[0]
        yield own
    if random.random() < 0.3:
        rest = [_any(random) for _ in range(random.randrange(TAIL_MAX))] + rest
    yield from rest
    yield from random.sample(recording.commands, min(len(recording.commands), 4))


def _any(random: Random) -> bytes:
    """A command of any dialogue, changed or not, or one from nowhere."""
    if random.random() < 0.3:
        return made_up(random)
    own = random.choice(random.choice(recordings()).commands)
    return changed(random, own) if random.random() < 0.5 else own


@dataclass
class Watch:
    """A card under observation."""

    recording: Recording
    where: str
    talk: list[tuple[bytes, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.card: VirtualCard = self.recording.card()
        self.content = content_of(self.card.memory.mf)
        self.tries = tries_of(self.card.memory.mf)
        self._issued = Counter(
            _meaning(command) for command in self.recording.commands if command[0] != PLAIN
        )

    def send(self, apdu: bytes) -> None:
        """Sends a command and judges what came of it."""
        answer = self.card.transmit(apdu)
        self.talk.append((apdu, answer))
        if not 2 <= len(answer) <= RESPONSE_MAX:
            raise self.finding(f"an answer of {len(answer)} bytes")
        if answer == INTERNAL:
            raise self.finding("the chip failed inside")
        content, tries = content_of(self.card.memory.mf), tries_of(self.card.memory.mf)
        if content != self.content and not self._permitted(apdu, content):
            raise self.finding("something changed that nobody permitted")
        if _more_tries(self.tries, tries) and not self._knows_a_pin(apdu):
            raise self.finding("tries came back to somebody who knows no PIN")
        self.content, self.tries = content, tries

    def finding(self, what: str) -> FindingError:
        """With everything that was said."""
        return FindingError(what, self.where, self.talk)

    def _permitted(self, apdu: bytes, content: "Content") -> bool:
        meaning = _meaning(apdu)
        if self._issued[meaning] > 0:
            self._issued[meaning] -= 1
            return True
        pins_alone = content.others == self.content.others
        return pins_alone and apdu[1] in (CHANGE_PIN, UNBLOCK_PIN) and self._knows_a_pin(apdu)

    def _knows_a_pin(self, apdu: bytes) -> bool:
        """Whether the command shows the PIN that it is about, or the PUK, as they were."""
        meaning = _meaning(apdu)
        if self._issued_ever(meaning):
            return True
        header, data = meaning
        wanted = (header[3] & 0x1F) + (header[1] == UNBLOCK_PIN)
        known = (value for _, number, value in self.content.pins if number == wanted)
        return header[1] in (VERIFY, CHANGE_PIN, UNBLOCK_PIN) and data[:8] in known

    def _issued_ever(self, meaning: tuple[bytes, bytes]) -> bool:
        return meaning in self._issued


@dataclass(frozen=True, slots=True)
class Content:
    """What must not change by itself: PINs by directory and id, and all else."""

    pins: tuple[tuple[int, int, bytes], ...]
    others: tuple[Any, ...]


def content_of(mf: Directory) -> Content:
    """Everything but the tries that are left."""
    every = list(mf.walk())
    pins = tuple(
        (item.fid, number, pin.value) for item in every for number, pin in item.pins.items()
    )
    others = tuple(
        (
            item.fid, item.life, tuple(item.keys.items()), tuple(item.rsa_keys.items()),
            tuple((file.spec, tuple(file.records)) for file in item.files),
        )
        for item in every
    )  # fmt: skip
    return Content(pins, others)


def tries_of(mf: Directory) -> dict[tuple[int, int], int]:
    """Tries left, by directory and id."""
    return {
        (item.fid, number): pin.tries_left
        for item in mf.walk()
        for number, pin in item.pins.items()
    }


def _more_tries(before: dict[tuple[int, int], int], after: dict[tuple[int, int], int]) -> bool:
    return any(after[place] > tries for place, tries in before.items() if place in after)


def _meaning(apdu: bytes) -> tuple[bytes, bytes]:
    """Header and data: what a MAC covers, in whatever form the lengths are written."""
    try:
        command = Command.decode(apdu)
    except MalformedError:
        return apdu[:4].ljust(4, b"\x00"), b""
    return command.header, command.data
