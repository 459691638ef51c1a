"""Where the backend answers terminals and stations, and how it says no.

Paths stand under the installation's base address. Every request and answer is
signed (``cardlib.wire.http_signatures``); every body is canonical CBOR or a
COSE_Sign1 message.

=================================== ====== ========================== ==================
path                                method request                    answer
=================================== ====== ========================== ==================
/v1/enrolments                      POST   EnrolmentRequest, signed   EnrolmentAnswer
/v1/entries                         POST   Batch                      Acknowledgement
/v1/bundle                          GET    empty                      Bundle, signed
/v1/module-keys                     POST   KeyRequest                 KeyAnswer, signed
/v1/module-orders                   POST   ModuleState, signed        ModuleOrder, signed
/v1/card-sessions                   POST   SessionOpening             SessionCommands
/v1/card-sessions/SESSION/answers   POST   SessionAnswers             SessionCommands
=================================== ====== ========================== ==================

A status of 400 or more carries a :class:`Refusal`. 429 and 503 may come
without one, and unsigned, from whatever stands before the backend.
"""

from dataclasses import dataclass
from typing import Self

from cardlib.wire import cbor
from cardlib.wire.fields import Fields

ENROLMENTS = "/v1/enrolments"
ENTRIES = "/v1/entries"
BUNDLE = "/v1/bundle"
MODULE_KEYS = "/v1/module-keys"
CARD_SESSIONS = "/v1/card-sessions"
MODULE_ORDERS = "/v1/module-orders"

CLOCK_OFF = "CLOCK_OFF"
"""The request's ``created`` is too far from the server's time: sign again with that."""
REQUEST_REPLAYED = "REQUEST_REPLAYED"
"""This very request came before: a line that doubles it lost the answer. Sign a new one."""
UPLOAD_SKEW_S = 7 * 24 * 3600
"""How far ``created`` of an upload may be off: its replay is harmless."""
REQUEST_SKEW_S = 5 * 60
"""How far ``created`` of any other request may be off; its nonce is used once."""
ANSWER_BYTES_MAX = 8 * 1024 * 1024
"""No answer is longer; a till reads no further."""


def card_session_answers(session: str) -> str:
    """Where the answers of one card session go."""
    return f"{CARD_SESSIONS}/{session}/answers"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was refused: a code of the text catalogue, and the server's Unix time."""

    code: str
    server_time: int

    def encode(self) -> bytes:
        """The answer's body."""
        return cbor.encode({1: self.code, 2: self.server_time})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a body."""
        fields = Fields.decode(data, "refusal")
        refusal = cls(fields.text(1), fields.uint(2))
        fields.end()
        return refusal
