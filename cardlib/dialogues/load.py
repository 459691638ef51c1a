"""The load: a backend writes a signed grant through any station (PROTOCOL 2, *Load*).

Round trips of an ordinary load, five volleys: (1) SELECT, INFO; (2) randoms,
MSE K_TC, newest EF.SPEND record and all eight grants, attested; then the
authority decides; (3) the grant into a free record, read back: the receipt;
(4) the superseded record overwritten with zeros, read back; (5) the map.

A wallet lives on the card at every moment: the old grant goes only after the
new one was read back. Whatever tears the dialogue, the next one finishes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from cardlib.codec.apdu import Command
from cardlib.codec.commands import get_challenge
from cardlib.codec.files import EF_GRANT, EF_INFO, EF_SPEND
from cardlib.codec.purse import INFO_CORE_SIZE, Info
from cardlib.dialogues.attested import (
    AttestedPurse,
    AttestedSpend,
    read_all_grants,
    read_record,
    read_spends,
)
from cardlib.dialogues.find import find_purse
from cardlib.dialogues.volley import Dialogue, send_all
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.grants import SignedGrant
from cardlib.keys.module import GrantReading
from cardlib.ports import Randomness


@dataclass(frozen=True, slots=True)
class CardState:
    """What the card attested: EF.INFO (plain), records from #1 down, all eight grants.

    Grants are decrypted but their signatures not yet verified. The last of
    ``spends`` that was needed to find a valid one is never torn.
    """

    info: Info
    spends: tuple[AttestedSpend, ...]
    grants: tuple[GrantReading, ...]

    @property
    def newest(self) -> AttestedSpend:
        """The first record from #1 that decrypts; PurseRefusedError when there is none."""
        for item in self.spends:
            if item.spend is not None:
                return item
        raise PurseRefusedError("PURSE_NO_RECORD")


@dataclass(frozen=True, slots=True)
class ReadDown:
    """The authority wants more history: all EF.SPEND records down to number ``index``."""

    index: int


@dataclass(frozen=True, slots=True)
class GrantWrite:
    """A signed grant and the free record, 1 to 8, that it goes into."""

    number: int
    signed: SignedGrant


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What one session writes, in this order: the grant, zeros, the map.

    ``touch_map`` writes the map even when it is right already: the secured
    command uses up the challenge of any write held back on the way. ``reread``
    reads all eight records after that, attested: proof of what is not there.
    """

    write: GrantWrite | None
    clear: tuple[int, ...]
    record_map: int
    touch_map: bool = False
    reread: bool = False


class LoadAuthority(Protocol):
    """Who decides and keeps the books: the backend's ledger.

    After each call that reports something the caller of the dialogue makes it
    durable before the next volley leaves.
    """

    def keys(self, info: Info) -> PurseKeys | None:
        """Keys of a purse served here; None sends the dialogue to the next directory."""
        ...

    def decide(self, state: CardState) -> LoadPlan | ReadDown:
        """Compares with the ledger and signs; raises to refuse, then nothing is written."""
        ...

    def granted(self, write: GrantWrite) -> None:
        """The grant was read back attested: the receipt."""
        ...

    def cleared(self, number: int) -> None:
        """The superseded record was read back as zeros."""
        ...

    def reread(self, grants: tuple[GrantReading, ...]) -> None:
        """All eight records, after a secured command that the card confirmed."""
        ...


def load(authority: LoadAuthority, randomness: Randomness) -> Dialogue[LoadPlan]:
    """The whole load; what was done is in the plan it returns.

    PurseRefusedError when no purse here is served, CardAnswerError when the card
    refuses a command, AuthenticityError when an answer's MAC is bad or a record
    is read back other than written; and what the authority raises.
    """
    info, keys = yield from find_purse(authority.keys)
    purse = AttestedPurse(info, keys, randomness)
    state = yield from read_state(purse)
    decision = authority.decide(state)
    if isinstance(decision, ReadDown):
        state = yield from _read_down(purse, state, decision.index)
        decision = authority.decide(state)
    if isinstance(decision, ReadDown):
        raise PurseRefusedError("CARD_HISTORY_SHORT")
    yield from _carry_out(purse, decision, authority)
    return decision


def read_state(purse: AttestedPurse) -> Dialogue[CardState]:
    """Round trip 2; one more when the newest record is torn."""
    opening, first = purse.opening(), read_spends([1])
    answers = yield from send_all(*opening, *first, *read_all_grants())
    purse.challenged(answers[0])
    spend = purse.open_spend(1, answers[3])
    state = CardState(purse.info, (spend,), purse.open_grants(answers[4:]))
    if spend.spend is None:
        state = yield from _read_down(purse, state, EF_SPEND.records)
    return state


def _read_down(purse: AttestedPurse, state: CardState, index: int) -> Dialogue[CardState]:
    """More of EF.SPEND under the same random and challenge."""
    wanted = range(len(state.spends) + 1, min(index, EF_SPEND.records) + 1)
    if not wanted:
        return state
    answers = yield from send_all(*read_spends(wanted))
    more = purse.open_spends(wanted, answers)
    return CardState(state.info, (*state.spends, *more), state.grants)


def _carry_out(purse: AttestedPurse, plan: LoadPlan, authority: LoadAuthority) -> Dialogue[None]:
    if plan.write is not None:
        yield from _write_grant(purse, plan.write.number, plan.write.signed)
        authority.granted(plan.write)
    for number in plan.clear:
        yield from _write_grant(purse, number, None)
        authority.cleared(number)
    if plan.touch_map or plan.record_map != purse.info.record_map:
        yield from _write_map(purse, plan, authority)


def _write_grant(purse: AttestedPurse, number: int, signed: SignedGrant | None) -> Dialogue[None]:
    """UPDATE RECORD, fresh random, READ attested, GET CHALLENGE: one round trip."""
    record, before = purse.seal_grant(signed), purse.random
    update = purse.secured(Command(0x00, 0xDC, number, EF_GRANT.read_p2, record))
    volley = (update, purse.fresh_random(), read_record(EF_GRANT, number), get_challenge())
    answers = yield from send_all(*volley)
    purse.require_written(update, answers[0], before)
    if purse.open_grant(number, answers[2]).record != record:
        raise AuthenticityError("CARD_READ_BACK_DIFFERS", record=number)
    purse.challenged(answers[3])


def _write_map(purse: AttestedPurse, plan: LoadPlan, authority: LoadAuthority) -> Dialogue[None]:
    before, content = purse.random, bytes((plan.record_map,))
    update = purse.secured(Command(0x00, 0xD6, 0x80 | EF_INFO.sfi, INFO_CORE_SIZE, content))
    proof = (purse.fresh_random(), *read_all_grants()) if plan.reread else ()
    answers = yield from send_all(update, *proof)
    purse.require_written(update, answers[0], before)
    if plan.reread:
        authority.reread(purse.open_grants(answers[2:]))


def map_of(numbers: Iterator[int] | tuple[int, ...]) -> int:
    """EF.INFO's record map: bit r-1 for each live record r."""
    return sum(1 << (number - 1) for number in set(numbers))
