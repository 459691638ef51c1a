"""The security module: does everything that needs a key and never returns one.

The module rule (PROTOCOL 3): a session is opened with INFO and the challenge,
and only then makes its random; it verifies an EF.SPEND answer over that random
before it MACs one command for that challenge, gives one only, and builds the
record itself, from the signed intent, with the verified counter plus one. It
never MACs bytes handed to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from cardlib.codec.apdu import Command, Response
from cardlib.codec.purse import Info, Spend
from cardlib.keys.grants import SignedGrant
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.entry_body import AttestedRead
from cardlib.wire.entry_header import ModuleClass


@dataclass(frozen=True, slots=True)
class SpendReading:
    """An EF.SPEND record whose answer MAC was good; ``spend`` is None when empty or torn.

    ``other_set``: it opened under another key set than EF.INFO names. Recovery counts it,
    no sale follows from it.
    """

    index: int
    record: bytes
    spend: Spend | None
    other_set: bool = False

    @property
    def empty(self) -> bool:
        """Whether the record was never written."""
        return not any(self.record)


@dataclass(frozen=True, slots=True)
class GrantReading:
    """An EF.GRANT record whose answer MAC was good; the signature is still to be verified."""

    number: int
    record: bytes
    signed: SignedGrant | None


class ModuleSession(Protocol):
    """One conversation with one card under one challenge."""

    @property
    def random(self) -> bytes:
        """The host random to give to the card, made after the challenge was known."""
        ...

    def open_spend(self, index: int, response: Response) -> SpendReading:
        """Verifies a READ RECORD answer of EF.SPEND; AuthenticityError when its MAC is bad."""
        ...

    def open_grant(self, number: int, response: Response) -> GrantReading:
        """Verifies a READ RECORD answer of EF.GRANT; AuthenticityError when its MAC is bad."""
        ...

    def update_spend(self, intent: bytes) -> Command:
        """The one UPDATE RECORD of this session, built from the signed intent.

        AuthenticityError when the intent is not this terminal's, not for this
        purse, or does not follow from the record this session has verified.
        """
        ...

    def update_confirmed(self, response: Response) -> bool:
        """Whether the UPDATE was answered 9000 with a valid MAC."""
        ...


class AppletSession(ModuleSession, Protocol):
    """One conversation with an applet card: its random goes out with INITIALISE.

    One MACed answer binds challenge and state to that random, so nothing can be between
    them; ``update_spend`` is the one DEBIT of that challenge.
    """

    def open_state(self, response: Response) -> "AppletReading":
        """Verifies the answer of INITIALISE.

        CardAnswerError, MalformedError; AuthenticityError when the MAC is bad;
        PurseRefusedError ``PURSE_NOT_SERVED`` without keys for the purse it names.
        """
        ...

    @property
    def proof(self) -> AttestedRead | None:
        """The certificate that came with the confirmed DEBIT; None before, and without one."""
        ...


@dataclass(frozen=True, slots=True)
class AppletReading:
    """What an applet card said of itself under a good MAC.

    ``newest`` is record 1 at rest, rebuilt; ``live`` the grant_seq of each slot with a grant.
    """

    info: Info
    newest: SpendReading
    live: Mapping[int, int]


class LegacySession(ModuleSession, Protocol):
    """One conversation with a legacy chip, whose challenge comes after the reads."""

    def challenged(self, challenge: bytes) -> None:
        """Takes the one challenge; AuthenticityError before EF.SPEND was read, or a second one."""
        ...


@runtime_checkable
class LegacyModule(Protocol):
    """A security module that also serves legacy chips."""

    def open_legacy(self, info: Info, limit_cents: int) -> LegacySession:
        """A session that writes no sale above ``limit_cents``, and with 0 nothing at all.

        PurseRefusedError ``PURSE_NOT_SERVED`` without keys for the purse.
        """
        ...


@runtime_checkable
class AppletModule(Protocol):
    """A security module that also serves applet cards."""

    def initialise(self) -> AppletSession:
        """A new session; its random is made now, the purse is known with the answer."""
        ...


class SecurityModule(Protocol):
    """Holds the terminal's signing key and the keys of the purses it may debit."""

    @property
    def module_class(self) -> ModuleClass:
        """Key 14 of every entry."""
        ...

    @property
    def public_key(self) -> PublicKey:
        """The terminal's key, as enrolled."""
        ...

    def sign_entry(self, payload: bytes) -> bytes:
        """Complete bytes of a journal entry."""
        ...

    def sign_request(self, base: bytes) -> bytes:
        """Signature over the RFC 9421 base of a request; AuthenticityError for other bytes."""
        ...

    def serves(self, info: Info) -> bool:
        """Whether the module holds keys for this purse."""
        ...

    def open(self, info: Info, challenge: bytes) -> ModuleSession:
        """A new session; PurseRefusedError ``PURSE_NOT_SERVED`` without keys for it."""
        ...

    def record_of(self, intent: bytes) -> bytes:
        """The record that ``intent`` writes, rebuilt byte for byte for recovery."""
        ...

    def open_record(self, info: Info, record: bytes) -> Spend | None:
        """A record of a served purse in clear, as kept in an intent; None when torn."""
        ...

    def rest(self) -> None:
        """The conversation with a purse is over: a module card lets its reader go."""
        ...
