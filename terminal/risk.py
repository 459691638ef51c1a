"""Which till may sell, and which purse may be used: the rules that need no basket.

The terminal's time never runs behind what it already knows (PROTOCOL 6): the
floor is the last signed server time and the last entry. What the wall clock
did within one boot is compared with the monotonic clock.
"""

from dataclasses import dataclass

from cardlib.calendar import day_at
from cardlib.codec.purse import Info, day_number
from cardlib.dialogues.purse_state import PurseState
from cardlib.errors import PurseRefusedError
from cardlib.keys.intent_rule import PREV_SIZE, record_hash
from cardlib.ports import Clock
from terminal.errors import SaleRefusedError, UnsettledError
from terminal.journal.journal import JournalReader
from terminal.sale.plan import CTR_MAX
from terminal.trust import BundleTrust

CLOCK_DRIFT_MAX_MS = 3_600_000
FLAG_BEHIND = 1
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Moment:
    """The terminal's time: Unix seconds, day number in Europe/Rome, clock flags of entries."""

    unix: int
    day: int
    flags: int


class Risk:
    """Judges with the newest bundle, this till's own marks and its clock.

    ``known_since``: when the till was enrolled, Unix seconds; ``sale_limit``: the shop's
    own limit in cents, 0 for none.
    """

    def __init__(
        self,
        trust: BundleTrust,
        journal: JournalReader,
        clock: Clock,
        *,
        known_since: int = 0,
        sale_limit: int = 0,
    ) -> None:
        self.trust = trust
        self._journal = journal
        self._clock = clock
        self._known_since = known_since
        self._sale_limit = sale_limit

    def moment(self) -> Moment:
        """Now, never behind the floor."""
        wall = self._clock.unix_ms() // 1000
        floor = self._floor()
        now = max(wall, floor)
        return Moment(now, day_number(day_at(now)), FLAG_BEHIND if wall < floor else 0)

    def sale_limit_on(self, info: Info) -> int:
        """As :attr:`sale_limit`, on this card: one that cannot attest has a lower one."""
        legacy = 0 if info.attests else self.trust.limits.legacy_sale_cents
        return min((item for item in (self.sale_limit, legacy) if item), default=0)

    @property
    def sale_limit(self) -> int:
        """The lower of the operator's and the shop's limit for one sale, in cents; 0 for none."""
        limits = [item for item in (self.trust.limits.sale_cents, self._sale_limit) if item]
        return min(limits, default=0)

    def days_offline(self) -> int:
        """Whole days since the last signed server time."""
        return max(0, self.moment().unix - self._last_server_time()) // _DAY_S

    def days_left(self) -> int | None:
        """Days until the till stops selling without a synchronisation; None for no limit."""
        stop = self.trust.limits.offline_days_stop
        return max(0, stop - self.days_offline()) if stop else None

    def check_till(self) -> None:
        """SaleRefusedError ``OFFLINE_TOO_LONG`` or ``CLOCK_JUMPED``: synchronise first."""
        if self.days_left() == 0:
            raise SaleRefusedError("OFFLINE_TOO_LONG", days=self.days_offline())
        reference = self._journal.views.clock_reference()
        if reference is None or reference.boot_id != self._clock.boot_id:
            return
        wall = self._clock.unix_ms() - reference.wall_ms
        monotonic = self._clock.monotonic_ms() - reference.monotonic_ms
        if abs(wall - monotonic) > CLOCK_DRIFT_MAX_MS:
            raise SaleRefusedError("CLOCK_JUMPED")

    def check_purse(self, state: PurseState) -> None:
        """PurseRefusedError for a purse that must not be used.

        UnsettledError ``PURSE_UNSETTLED`` when an earlier debit of this very purse is
        not settled: that is no refusal, recovery comes first.
        """
        for intent in self._journal.views.unsettled(state.purse):
            raise UnsettledError("PURSE_UNSETTLED", seq=intent.seq)
        if self.trust.hotlisted(state.purse):
            raise PurseRefusedError("PURSE_HOTLISTED")
        if state.info.expiry < self.moment().day:
            raise PurseRefusedError("CARD_EXPIRED", day=state.info.expires_on.isoformat())
        if state.spend.ctr >= CTR_MAX:
            raise PurseRefusedError("PURSE_FULL")
        self._check_marks(state)

    def _check_marks(self, state: PurseState) -> None:
        digest = record_hash(state.newest.record)
        watermark = self.trust.watermark(state.purse)
        if watermark is not None:
            same = watermark.record_hash == digest[:PREV_SIZE]
            _check_mark(state.spend.ctr, watermark.ctr, same_record=same)
        own = self._journal.views.own_mark(state.purse)
        if own is not None:
            _check_mark(state.spend.ctr, own.ctr, same_record=own.record_hash == digest)
            self._check_totals(state)

    def _check_totals(self, state: PurseState) -> None:
        """Only a void lowers totals, and no till can void past a sale of this one.

        So a card that shows less spent than this till itself wrote was opened again with a
        shop's key (PROTOCOL 8): each till gives at most what one grant holds.
        """
        own = self._journal.views.own_totals(state.purse) or ()
        if any(now < then for now, then in zip(state.spend.spent, own, strict=False)):
            raise PurseRefusedError("PURSE_ROLLED_BACK")

    def _floor(self) -> int:
        views = self._journal.views
        newest = views.newest(1)
        last_entry = newest[0].decode().header.wall_ms // 1000 if newest else 0
        return max(self._last_server_time(), last_entry)

    def _last_server_time(self) -> int:
        answered = self._journal.acknowledgements.server_time()
        issued = self.trust.bundle.issued_at if self.trust.bundle else 0
        return max(answered.time if answered else 0, issued, self._known_since)


def _check_mark(ctr: int, mark: int, *, same_record: bool) -> None:
    if ctr < mark:
        raise PurseRefusedError("PURSE_ROLLED_BACK")
    if ctr == mark and not same_record:
        raise PurseRefusedError("PURSE_FORKED")
