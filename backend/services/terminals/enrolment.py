"""How a terminal becomes one: a one-time code, bound to the key that a person compared."""

from dataclasses import dataclass
from hashlib import sha256

from nacl.public import PublicKey as BoxKey
from nacl.public import SealedBox

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.terminals import EnrolmentCodeRow, TerminalRow
from backend.adapters.unit_of_work import Unit
from backend.errors import ConflictError, NotGenuineError
from backend.services.keys.key_sets import module_keys
from backend.services.recovery.office import next_terminal
from backend.services.terminals.bundles import publish_bundle
from backend.services.terminals.module_orders import first_order
from backend.services.unit_of_work import Work
from cardlib.ports import Clock, Randomness
from cardlib.wire.enrolment import (
    Certificate,
    EnrolmentAnswer,
    EnrolmentRequest,
)
from cardlib.wire.entry_header import ModuleClass
from cardlib.wire.ids import TerminalNumber

CODE_LIFE_S = 15 * 60
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without signs that look alike."""
_CODE_SIZE = 12


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The use case, with its ports."""

    work: Work
    keys: KeyStore
    clock: Clock
    randomness: Randomness

    def issue_code(self, merchant_id: int, fingerprint: str, *, training: bool = False) -> str:
        """A one-time code, good for fifteen minutes and for the key of ``fingerprint`` only.

        UnknownError ``MERCHANT_UNKNOWN``.
        """
        code = self._new_code()
        now = self.clock.unix_ms() // 1000
        with self.work.begin() as unit:
            merchant = unit.terminals.merchant(merchant_id)
            unit.add(
                EnrolmentCodeRow(
                    code_hash=_hash_of(code), merchant_id=merchant.id,
                    fingerprint=fingerprint.strip().lower(), training=training,
                    created_at=now, expires_at=now + CODE_LIFE_S,
                )
            )  # fmt: skip
            unit.commit()
        return code

    def enrol(self, complete: bytes) -> bytes:
        """Answers an EnrolmentRequest; the body of an EnrolmentAnswer.

        The same request again gets the same answer. NotGenuineError ``ENROLMENT_CODE_BAD``
        or ``ENROLMENT_KEY_OTHER``, ConflictError ``ENROLMENT_CODE_USED``, and what
        ``EnrolmentRequest.open`` raises for a weak key or a missing possession.
        """
        request = EnrolmentRequest.open(complete)
        digest = sha256(complete).digest()
        now = self.clock.unix_ms() // 1000
        with self.work.begin() as unit:
            code = unit.terminals.enrolment_code(_hash_of(request.code))
            if code is None:
                raise NotGenuineError("ENROLMENT_CODE_BAD")
            if code.request_hash == digest and code.answer is not None:
                return code.answer
            _check(code, request, now)
            answer = self._enrol(unit, code, request, now)
            code.used_at, code.request_hash, code.answer = now, digest, answer
            unit.commit()
        return answer

    def _enrol(
        self, unit: Unit, code: EnrolmentCodeRow, request: EnrolmentRequest, now: int
    ) -> bytes:
        if unit.terminals.find_by_key(request.public_key.raw) is not None:
            raise ConflictError("TERMINAL_KEY_KNOWN")
        merchant = unit.terminals.merchant(code.merchant_id)
        number = TerminalNumber(next_terminal(unit))
        operator = self.keys.operator_key()
        certificate = Certificate(
            terminal=number, public_key=request.public_key, merchant=merchant.id,
            merchant_name=merchant.name, operator=unit.programmes.operator().name,
            issued_at=now, training=code.training,
        ).sign(operator)  # fmt: skip
        unit.add(
            TerminalRow(
                number=number, merchant_id=merchant.id, public_key=request.public_key.raw,
                box_key=request.box_key, certificate=certificate, training=code.training,
                enrolled_at=now, high_hash=sha256(certificate).digest(),
            )
        )  # fmt: skip
        sealed = SealedBox(BoxKey(request.box_key)).encrypt(
            module_keys(unit, self.keys, training=code.training).encode()
        )
        bundle = publish_bundle(unit, self.keys, now)
        if request.module_class is ModuleClass.CARD:
            order = first_order(self.keys, request.public_key, sealed, self.clock.unix_ms())
            return EnrolmentAnswer(
                operator.public, certificate, b"", bundle.complete, order
            ).encode()
        return EnrolmentAnswer(operator.public, certificate, sealed, bundle.complete).encode()

    def _new_code(self) -> str:
        """Without bias: bytes above the last whole multiple of the alphabet are not used."""
        code, limit = "", 256 - 256 % len(_ALPHABET)
        while len(code) < _CODE_SIZE:
            (value,) = self.randomness.bytes(1)
            if value < limit:
                code += _ALPHABET[value % len(_ALPHABET)]
        return "-".join(code[at : at + 4] for at in range(0, _CODE_SIZE, 4))


def _check(code: EnrolmentCodeRow, request: EnrolmentRequest, now: int) -> None:
    if code.used_at is not None:
        raise ConflictError("ENROLMENT_CODE_USED")
    if now >= code.expires_at:
        raise NotGenuineError("ENROLMENT_CODE_OLD")
    if request.public_key.fingerprint != code.fingerprint:
        raise NotGenuineError("ENROLMENT_KEY_OTHER")


def _hash_of(code: str) -> bytes:
    return sha256(code.strip().upper().replace("-", "").encode()).digest()
