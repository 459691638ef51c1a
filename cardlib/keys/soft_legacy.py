"""A session of a software module with one legacy chip: a weaker order, and a limit.

Such a chip forgets its challenge with every read, so the challenge is fetched only after the
read that decides. What stood between the two is not noticed before the next read: two tills
served at once by somebody in the middle both see a perfect sale (attack 8 of PROTOCOL 1).
Hence the limit, which the module keeps itself: it is the town's leave, and without one (0)
nothing is MACed.
"""

from cardlib.codec.apdu import Command
from cardlib.codec.purse import Info, SpendType
from cardlib.errors import AuthenticityError
from cardlib.keys.derivation import DebitKeys
from cardlib.keys.soft_session import SoftSession, own_intent
from cardlib.wire.ed25519 import PublicKey


class SoftLegacySession(SoftSession):
    """Implements ``LegacySession``; ``limit_cents`` is the most that one sale may take."""

    def __init__(
        self,
        info: Info,
        random: bytes,
        keys: DebitKeys,
        terminal: PublicKey,
        limit_cents: int,
    ) -> None:
        super().__init__(info, b"", random, keys, terminal)
        self._challenge = None
        self._challenged = False
        self._limit_cents = limit_cents

    def challenged(self, challenge: bytes) -> None:
        """The one challenge of this session, after the read that decides."""
        if self._challenged or self._newest() is None:
            raise AuthenticityError("MODULE_NO_FRESH_READ")
        self._challenge, self._challenged = challenge, True

    def update_spend(self, intent: bytes) -> Command:
        """As on other cards, for a void or within the limit; AuthenticityError above it."""
        _, body = own_intent(intent, self._terminal)
        cents = sum(line.cents for line in body.lines)
        is_void = body.plan.type is SpendType.VOID
        if not self._limit_cents or (not is_void and cents > self._limit_cents):
            raise AuthenticityError("MODULE_LEGACY_LIMIT")
        return super().update_spend(intent)
