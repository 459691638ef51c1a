"""The routes of terminals and stations: what is asked where, and how it is guarded.

Every body is canonical CBOR or a COSE message; a handler decodes it only after the
exchange has verified who sent it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from backend.adapters.key_store import KeyStore
from backend.errors import NotGenuineError
from backend.services.card_sessions.sessions import CardSessions
from backend.services.ingest.batches import Ingest
from backend.services.keys.key_sets import KeySetOffice
from backend.services.terminals.bundles import LastLook, current_bundle
from backend.services.terminals.enrolment import Enrolment
from backend.services.terminals.module_orders import ModuleOffice
from backend.services.unit_of_work import Work
from cardlib.ports import Clock
from cardlib.wire.card_session import SessionAnswers, SessionOpening
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import EnrolmentRequest
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.module_keys import KeyRequest
from cardlib.wire.service import (
    BUNDLE,
    CARD_SESSIONS,
    ENROLMENTS,
    ENTRIES,
    MODULE_KEYS,
    MODULE_ORDERS,
    REQUEST_SKEW_S,
    UPLOAD_SKEW_S,
    card_session_answers,
)
from cardlib.wire.upload import Batch


class UseCases(Protocol):
    """What the routes need of the service; ``backend.composition.Backend`` has it."""

    @property
    def work(self) -> Work:
        """Begins transactions."""
        ...

    @property
    def keys(self) -> KeyStore:
        """Signs answers."""
        ...

    @property
    def clock(self) -> Clock:
        """Our own time."""
        ...

    @property
    def last_look(self) -> LastLook:
        """At what bundles say."""
        ...

    @property
    def enrolment(self) -> Enrolment:
        """Terminals."""
        ...

    @property
    def ingest(self) -> Ingest:
        """Journal entries."""
        ...

    @property
    def key_sets(self) -> KeySetOffice:
        """Keys of the issuers."""
        ...

    @property
    def modules(self) -> ModuleOffice:
        """Module cards."""
        ...

    @property
    def card_sessions(self) -> CardSessions:
        """Work on cards."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed the request; ``terminal`` is None for a key that is not enrolled yet."""

    public_key: PublicKey
    terminal: TerminalNumber | None

    def enrolled(self) -> TerminalNumber:
        """The terminal's number; NotGenuineError ``TERMINAL_UNKNOWN``."""
        if self.terminal is None:
            raise NotGenuineError("TERMINAL_UNKNOWN")
        return self.terminal


Parameters = Mapping[str, str]
"""The parts of a path that its route names in braces."""
Handler = Callable[[UseCases, Caller, Parameters, bytes], bytes]
"""Takes the request's body, gives the answer's."""
KeyOf = Callable[[bytes], PublicKey | None]
"""Finds, in the request's body, the key that must have signed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the table.

    ``skew_s``: how far ``created`` may be from our clock. ``once``: each nonce is
    accepted once; not needed where a replay is harmless. ``key_in``: where the key
    is when it is not yet enrolled.
    """

    method: str
    path: str
    handler: Handler
    skew_s: int = REQUEST_SKEW_S
    once: bool = True
    key_in: KeyOf | None = None


def find_route(method: str, path: str) -> tuple[Route, Parameters] | None:
    """The route of a request, and what its path says; None where nothing is."""
    for route in ROUTES:
        parameters = _match(route.path, path)
        if parameters is not None and route.method == method:
            return route, parameters
    return None


def _match(pattern: str, path: str) -> Parameters | None:
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    parameters: dict[str, str] = {}
    for name, part in zip(wanted, given, strict=True):
        if name.startswith("{") and part:
            parameters[name[1:-1]] = unquote(part)
        elif name != part:
            return None
    return parameters


def _enrol(service: UseCases, _caller: Caller, _path: Parameters, body: bytes) -> bytes:
    """A new terminal, signed by the key that the request is about."""
    return service.enrolment.enrol(body)


def _submit_entries(service: UseCases, caller: Caller, _path: Parameters, body: bytes) -> bytes:
    """Entries of the caller's journal; idempotent, so a replay is harmless."""
    terminal = caller.enrolled()
    return service.ingest.submit(Batch.decode(body), terminal)


def _read_bundle(service: UseCases, caller: Caller, _path: Parameters, _body: bytes) -> bytes:
    """The newest bundle."""
    caller.enrolled()
    with service.work.begin() as unit:
        now = service.clock.unix_ms() // 1000
        bundle = current_bundle(unit, service.keys, service.last_look, now)
        unit.commit()
    return bundle.complete


def _hand_out_keys(service: UseCases, caller: Caller, _path: Parameters, body: bytes) -> bytes:
    """Module keys of every key set in use, sealed to the caller; notes which it holds."""
    return service.key_sets.hand_out(KeyRequest.decode(body), caller.enrolled())


def _renew_allowance(service: UseCases, caller: Caller, _path: Parameters, body: bytes) -> bytes:
    """A module card says how far it is; what it may debit from now on."""
    return service.modules.answer(body, caller.enrolled())


def _open_session(service: UseCases, caller: Caller, _path: Parameters, body: bytes) -> bytes:
    """A new session with its first commands; one that is never answered binds nothing."""
    opening = SessionOpening.decode(body)
    return service.card_sessions.open(caller.enrolled(), opening).encode()


def _take_step(service: UseCases, caller: Caller, path: Parameters, body: bytes) -> bytes:
    """The next commands, or the outcome; the same answers again get the same answer."""
    answers = SessionAnswers.decode(body)
    return service.card_sessions.step(caller.enrolled(), path["session"], answers).encode()


def _enrolled_key(body: bytes) -> PublicKey | None:
    return EnrolmentRequest.open(body).public_key


ROUTES = (
    Route(method="POST", path=ENROLMENTS, handler=_enrol, key_in=_enrolled_key),
    Route(
        method="POST", path=ENTRIES, handler=_submit_entries, skew_s=UPLOAD_SKEW_S, once=False
    ),
    Route(method="GET", path=BUNDLE, handler=_read_bundle),
    Route(method="POST", path=MODULE_KEYS, handler=_hand_out_keys),
    Route(method="POST", path=MODULE_ORDERS, handler=_renew_allowance),
    Route(method="POST", path=CARD_SESSIONS, handler=_open_session),
    Route(method="POST", path=card_session_answers("{session}"), handler=_take_step),
)  # fmt: skip
"""Everything that terminals and stations may ask."""
