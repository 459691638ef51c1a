"""Carries a dialogue on over requests: from the stored seed and the stored answers.

A killed backend loses its generators, and the next request may come to another
process. So any step can make the dialogue anew: the same seed gives the same randoms,
the same answers lead to the same place, and what was decided is read, not decided
again. ``live`` spares that where the dialogue is still in hand.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cardlib.codec.apdu import Response
from cardlib.dialogues.volley import Dialogue, Volley, check_shape
from cardlib.errors import CardGoneError

T = TypeVar("T")


class SessionRandomness:
    """HMAC-SHA256 in counter mode over a session's seed: unpredictable, and the same again."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._counter = 0

    def bytes(self, count: int) -> bytes:
        """The next ``count`` bytes, at most 32."""
        if not 0 <= count <= hashlib.sha256().digest_size:
            raise ValueError(count)
        self._counter += 1
        block = hmac.digest(self._seed, self._counter.to_bytes(4, "big"), "sha256")
        return block[:count]


@dataclass(frozen=True, slots=True)
class Finished(Generic[T]):
    """The dialogue is over."""

    result: T


class Replay(Generic[T]):
    """One dialogue, brought to where the stored answers end."""

    def __init__(self, dialogue: Dialogue[T], answered: Iterable[tuple[bytes, ...]] = ()) -> None:
        self._dialogue = dialogue
        self.volley: Volley = next(dialogue)
        for answers in answered:
            self.answer(answers)

    def answer(self, answers: tuple[bytes, ...]) -> Finished[T] | None:
        """Hands over whole R-APDUs; None while the dialogue goes on, with ``volley``.

        A station that lost its card sends the answers that it got before: the
        dialogue then sees CardGoneError. Raises what the dialogue raises.
        """
        responses = tuple(Response.decode(item) for item in answers)
        gone = len(responses) < len(self.volley) and all(item.ok for item in responses)
        try:
            if gone:
                self.volley = self._dialogue.throw(CardGoneError())
            else:
                check_shape(self.volley, responses)
                self.volley = self._dialogue.send(responses)
        except StopIteration as stop:
            return Finished(stop.value)
        return None
