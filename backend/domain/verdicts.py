"""What the records of one purse say: proven, unproven or contradicted (PROTOCOL 6).

Pure: facts in, judgements out, whatever the order in which the facts arrived. A
record is *attested* when a card returned it under K_TC; it is *proven* when it is
attested, or when a later attested state, written at another merchant's terminal,
continues it without a break in counter, prev and totals, whatever its own till could
tell of it; an attested record of the same counter outweighs that. At most one record of
a counter is *live*. The amount of a record is the difference of its totals and those of
the live record before it; until that one is proven, or posted by another merchant, the
amount of a proven record is open.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cardlib.codec.purse import SLOTS, ZERO_TOTALS, SpendType, Totals
from cardlib.wire.ids import PurseId

PREV_SIZE = 4
RING_SIZE = 20
"""Records that a card keeps: an older one can no longer be read."""


def record_name(purse: PurseId, ctr: int, record_hash: bytes) -> str:
    """How books and exports name a record without an entry: ``issuer:purse:ctr:hash``."""
    place = f"{purse.issuer.hex()}:{purse.number.hex()}:{ctr}"
    return f"{place}:{record_hash[:PREV_SIZE].hex()}"


class PostingState(StrEnum):
    """What is known of a claimed or attested record."""

    PROVEN = "proven"
    """The card confirms it: the money is the merchant's."""
    UNPROVEN = "unproven"
    """Only the till says so: the money waits in suspense."""
    CONTRADICTED = "contradicted"
    """Another record has its place: the money is back where it came from."""


class Closing(StrEnum):
    """How the terminal's journal closed the intent of a record."""

    MISSING = "missing"
    """No accepted intent is known."""
    OPEN = "open"
    COMMITTED = "committed"
    NOT_APPLIED = "not_applied"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFact:
    """One known record of the purse. ``arrival`` orders facts; ``lines`` are cents by slot.

    ``merchant`` is the one of the terminal that the record names; None for the backend
    itself and for an unknown terminal. ``given_back``: people decided that no card was
    debited for it.
    """

    ctr: int
    hash: bytes
    prev: bytes
    spent: Totals
    type: SpendType
    arrival: int
    attested: bool
    merchant: int | None = None
    closing: Closing = Closing.MISSING
    lines: Mapping[int, int] | None = None
    given_back: bool = False

    @property
    def claimed(self) -> bool:
        """Whether the terminal says that the card was debited, or leaves it to the neighbours."""
        return self.closing in (Closing.COMMITTED, Closing.UNRESOLVED)

    @property
    def announced(self) -> bool:
        """Whether a signed intent of the terminal is for this record."""
        return self.closing is not Closing.MISSING

    @property
    def sign(self) -> int:
        """Minus for a void."""
        return -1 if self.type == SpendType.VOID else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on one record; ``amounts`` are cents by slot, above zero.

    ``forged_predecessor``: what it was said to follow is not what the card held; ``lowered``:
    the card proves both, and shows less spent than before without a void.
    """

    fact: RecordFact
    state: PostingState
    live: bool
    amounts: Mapping[int, int]
    amount_open: bool
    forged_predecessor: bool = False
    lowered: bool = False

    @property
    def proven(self) -> bool:
        """Whether the card confirms the record, on whatever branch."""
        return self.state is PostingState.PROVEN


@dataclass(frozen=True, slots=True)
class Base:
    """The last record below those judged: its counter and totals, proven or closed."""

    ctr: int = 0
    hash: bytes | None = None
    spent: Totals = ZERO_TOTALS
    proven: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseVerdict:
    """Judgements by counter, and what follows for the purse as a whole."""

    judgements: tuple[Judgement, ...]
    card_mark: int
    newest_proven: RecordFact | None
    forks: tuple[int, ...]
    """Counters with two proven records."""
    wanted_proofs: frozenset[int]
    """Counters to be read attested."""


def judge(facts: Sequence[RecordFact], base: Base) -> PurseVerdict:
    """The verdict on all ``facts``, which lie above ``base``."""
    by_ctr: dict[int, list[RecordFact]] = {}
    for fact in sorted(facts, key=lambda fact: (fact.ctr, fact.arrival)):
        by_ctr.setdefault(fact.ctr, []).append(fact)
    proven = _proven(by_ctr)
    live = _without_stray_voids(_live(by_ctr, proven), base)
    judgements = _judgements(by_ctr, live, proven, base)
    top = max((ctr for ctr, fact in live.items() if fact.hash in proven), default=None)
    return PurseVerdict(
        judgements=tuple(judgements),
        card_mark=_card_mark(judgements, base),
        newest_proven=None if top is None else live[top],
        forks=tuple(ctr for ctr, same in by_ctr.items() if sum(f.hash in proven for f in same) > 1),
        wanted_proofs=_wanted_proofs(judgements, by_ctr),
    )


def _proven(by_ctr: Mapping[int, list[RecordFact]]) -> set[bytes]:
    attested = [fact for same in by_ctr.values() for fact in same if fact.attested]
    settled = {fact.ctr for fact in attested}
    proven = {fact.hash for fact in attested}
    below = {fact.hash: _agreed_below(fact, by_ctr) for same in by_ctr.values() for fact in same}
    for state in attested:
        proven |= {fact.hash for fact in _implied_by(state, below) if fact.ctr not in settled}
    return proven


def _implied_by(
    state: RecordFact, agreed_below: Mapping[bytes, RecordFact | None]
) -> Iterator[RecordFact]:
    """What other merchants announced below ``state``, down to the first break.

    The terminal number in a record is only what a shop key wrote: another merchant's
    terminal speaks through the entry that it signed. Only whoever wrote directly over a claim
    read it: a shop that sells over its own claim leaves the next shop nothing to vouch for.
    A record that was only announced is believed, but vouches for none: its till took no money.
    """
    if state.merchant is None or state.closing is Closing.MISSING:
        return
    above = state
    while (below := agreed_below[above.hash]) is not None:
        others = {state.merchant, above.merchant} - {None}
        if below.merchant not in others and above.merchant is not None and below.announced:
            yield below
        if not (below.attested or below.claimed):
            return
        above = below


def _agreed_below(above: RecordFact, by_ctr: Mapping[int, list[RecordFact]]) -> RecordFact | None:
    """The record that ``above`` names, if its totals fit too."""
    below = _linked(above, by_ctr)
    return below if below is not None and _totals_agree(above, below) else None


def _linked(above: RecordFact, by_ctr: Mapping[int, list[RecordFact]]) -> RecordFact | None:
    for fact in by_ctr.get(above.ctr - 1, ()):
        if fact.hash[:PREV_SIZE] == above.prev:
            return fact
    return None


def _totals_agree(above: RecordFact, below: RecordFact) -> bool:
    """Whether a signed entry says what ``above`` took, and ``below`` fits it.

    A record whose entry nobody has may be a shop key's own: it vouches for nothing below.
    """
    return above.lines is not None and _difference(above, below.spent) == dict(above.lines)


def _difference(fact: RecordFact, before: Totals) -> dict[int, int]:
    """Cents by slot that ``fact`` took (a void: gave back); slots without change left out."""
    changes = (fact.sign * (fact.spent[at] - before[at]) for at in range(SLOTS))
    return {slot: cents for slot, cents in enumerate(changes, start=1) if cents}


def _live(by_ctr: Mapping[int, list[RecordFact]], proven: set[bytes]) -> dict[int, RecordFact]:
    """The branch that the card followed, as far as it is known, from the newest counter down."""
    live: dict[int, RecordFact] = {}
    for ctr in sorted(by_ctr, reverse=True):
        chosen = _chosen(by_ctr[ctr], live.get(ctr + 1), proven)
        if chosen is not None:
            live[ctr] = chosen
    return live


def _chosen(
    same: list[RecordFact], above: RecordFact | None, proven: set[bytes]
) -> RecordFact | None:
    """Of the proven ones, else of the claims, the one that the next record continues.

    Otherwise the first that people did not give back; but a mere claim is not live when a
    proven record above it continues another.
    """
    candidates = [fact for fact in same if fact.hash in proven]
    candidates = candidates or [fact for fact in same if fact.claimed and not fact.given_back]
    candidates = candidates or [fact for fact in same if fact.claimed]
    if above is not None:
        continued = [fact for fact in candidates if fact.hash[:PREV_SIZE] == above.prev]
        if above.hash in proven:
            candidates = [fact for fact in candidates if fact.hash in proven]
        candidates = continued or candidates
    return candidates[0] if candidates else None


def _without_stray_voids(live: dict[int, RecordFact], base: Base) -> dict[int, RecordFact]:
    """A void without the live sale that it directly follows undoes nothing."""
    kept: dict[int, RecordFact] = {}
    for ctr in sorted(live):
        before = kept[ctr - 1].hash if ctr - 1 in kept else None
        if before is None and ctr == base.ctr + 1:
            before = base.hash
        follows = before is not None and before[:PREV_SIZE] == live[ctr].prev
        if live[ctr].type != SpendType.VOID or follows:
            kept[ctr] = live[ctr]
    return kept


def _judgements(
    by_ctr: Mapping[int, list[RecordFact]],
    live: Mapping[int, RecordFact],
    proven: set[bytes],
    base: Base,
) -> list[Judgement]:
    result: list[Judgement] = []
    for ctr in sorted(by_ctr):
        for fact in by_ctr[ctr]:
            if live.get(ctr) is fact:
                before = live.get(ctr - 1) or _proven_below(fact, by_ctr, proven)
                if before is not None and _self_made(fact, before, proven):
                    before = None
                result.append(_judge_live(fact, before, proven, base))
            elif fact.claimed or fact.hash in proven:
                result.append(_judge_dead(fact, live.get(ctr), proven))
    return result


def _proven_below(
    fact: RecordFact, by_ctr: Mapping[int, list[RecordFact]], proven: set[bytes]
) -> RecordFact | None:
    """What ``fact`` continues, when the card proves it, though nothing there is live."""
    below = _linked(fact, by_ctr)
    return below if below is not None and below.hash in proven else None


def _self_made(fact: RecordFact, before: RecordFact, proven: set[bytes]) -> bool:
    """Whether only the merchant of a proven ``fact`` says what the card held before it.

    A rogue shop may claim a sale of its own in the place of another shop's (PROTOCOL 1.10).
    """
    told_by_itself = before.merchant == fact.merchant
    return told_by_itself and fact.hash in proven and before.hash not in proven


def _judge_dead(fact: RecordFact, live: RecordFact | None, proven: set[bytes]) -> Judgement:
    if fact.hash in proven:
        state = PostingState.PROVEN
    elif live is not None and live.hash in proven:
        state = PostingState.CONTRADICTED
    else:
        state = PostingState.UNPROVEN
    return Judgement(
        fact=fact, state=state, live=False, amounts=dict(fact.lines or {}), amount_open=False
    )


def _judge_live(
    fact: RecordFact, before: RecordFact | None, proven: set[bytes], base: Base
) -> Judgement:
    state = PostingState.PROVEN if fact.hash in proven else PostingState.UNPROVEN
    totals, linked = _predecessor(fact, before, base)
    if totals is None:
        return Judgement(
            fact=fact, state=state, live=True, amounts=dict(fact.lines or {}), amount_open=True
        )
    taken = _difference(fact, totals)
    amounts = {slot: cents for slot, cents in taken.items() if cents > 0}
    agrees = linked and taken == amounts and (fact.lines is None or taken == dict(fact.lines))
    return Judgement(
        fact=fact, state=state, live=True, amounts=amounts, amount_open=False,
        forged_predecessor=not agrees, lowered=_is_lowered(fact, totals, before, proven, base),
    )  # fmt: skip


def _is_lowered(
    fact: RecordFact, totals: Totals, before: RecordFact | None, proven: set[bytes], base: Base
) -> bool:
    """Whether a card went back: no till writes a smaller total unless it voids a sale."""
    both = fact.hash in proven and (base.proven if before is None else before.hash in proven)
    fell = any(now < then for now, then in zip(fact.spent, totals, strict=True))
    return both and fell and fact.type != SpendType.VOID


def _predecessor(
    fact: RecordFact, before: RecordFact | None, base: Base
) -> tuple[Totals | None, bool]:
    """Totals before ``fact``, None while nobody can say; and whether ``prev`` names them."""
    if before is None:
        if fact.ctr != base.ctr + 1:
            return None, True
        linked = base.hash is None or base.hash[:PREV_SIZE] == fact.prev
        return base.spent, linked
    return before.spent, before.hash[:PREV_SIZE] == fact.prev


def _card_mark(judgements: Iterable[Judgement], base: Base) -> int:
    mark = expected = base.ctr
    for judgement in judgements:
        if not judgement.live:
            continue
        if judgement.fact.ctr != expected + 1 or judgement.amount_open:
            break
        expected += 1
        if judgement.proven:
            mark = expected
    return mark


def _is_stray(judgement: Judgement, by_ctr: Mapping[int, list[RecordFact]]) -> bool:
    """Whether a void that the card proves lacks the sale that it undoes: nobody told of it yet."""
    fact = judgement.fact
    if judgement.live or not judgement.proven or fact.type != SpendType.VOID:
        return False
    return not any(below.attested for below in by_ctr.get(fact.ctr - 1, ()))


def _wanted_proofs(
    judgements: Iterable[Judgement], by_ctr: Mapping[int, list[RecordFact]]
) -> frozenset[int]:
    wanted: set[int] = set()
    for judgement in judgements:
        if judgement.state is PostingState.UNPROVEN:
            wanted.add(judgement.fact.ctr)
        if (judgement.live and judgement.amount_open) or _is_stray(judgement, by_ctr):
            wanted.add(judgement.fact.ctr - 1)
    newest = max(by_ctr, default=0)
    return frozenset(ctr for ctr in wanted if ctr > newest - RING_SIZE)
