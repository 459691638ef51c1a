"""What came of the adversaries, as a table: one row each, over all its seeds."""

from collections import Counter
from collections.abc import Iterable, Sequence

from cardlib.text import catalogue
from simulator.town.adversaries.adversary import Claim
from simulator.town.adversaries.roll import ADVERSARIES
from simulator.town.campaign.trial import Trial
from simulator.town.report.words import Words
from simulator.town.unreached import left_to_adversaries

_COLUMNS = ("adversary", "towns", "attempts", "gained", "bound", "seen", "latest", "held", "false")
_MOST = 3
"""Codes that a cell names."""


def table(trials: Iterable[Trial], lang: str) -> str:
    """Markdown, in the order of the roll; money is what one town saw, the worst of all."""
    by_name: dict[str, list[Trial]] = {}
    for one in trials:
        by_name.setdefault(one.name, []).append(one)
    head = [catalogue.label("attacks", f"column_{column}", lang) for column in _COLUMNS]
    lines = [_row(head), _row(["---"] * len(head))]
    lines += [_row(_cells(name, by_name[name], lang)) for name in ADVERSARIES if name in by_name]
    return "\n".join(lines) + "\n"


def ways_table(trials: Iterable[Trial], lang: str) -> str:
    """Markdown: each way that is left to the adversaries, and who went it."""
    by_way: dict[str, set[str]] = {}
    for one in trials:
        for way in one.reached:
            by_way.setdefault(way, set()).add(one.name)
    head = [catalogue.label("attacks", f"column_{column}", lang) for column in ("way", "gone_by")]
    rows = [
        _row([f"`{way}`", ", ".join(name for name in ADVERSARIES if name in by_way.get(way, ()))])
        for way in left_to_adversaries()
    ]
    return "\n".join([_row(head), _row(["---"] * len(head)), *rows]) + "\n"


def _cells(name: str, trials: Sequence[Trial], lang: str) -> list[str]:
    words, acted = Words(lang, {}, {}), [one for one in trials if one.acted]
    worst = max(trials, key=lambda one: (one.gain, one.bound))
    bounded = ADVERSARIES[name]().expectation.claim is Claim.BOUNDED
    return [
        name,
        f"{len(acted)} / {len(trials)}",
        words.number(sum(one.attempts for one in trials)),
        words.money(worst.gain),
        words.money(worst.bound) if bounded else words.money(0),
        _codes(acted),
        _latest(acted, words),
        f"{sum(one.held for one in acted)} / {len(acted)}",
        words.number(sum(one.alarms_false + one.alarms_missed for one in trials)),
    ]


def _codes(trials: Sequence[Trial]) -> str:
    """By what it was seen, or else refused, the most frequent first."""
    seen = Counter(code for one in trials for code in one.seen)
    refused = Counter[str]()
    for one in trials:
        refused.update({code: count for code, count in one.refusals.items() if _is_refusal(code)})
    return ", ".join(f"`{code}`" for code, _ in (seen or refused).most_common(_MOST))


def _is_refusal(code: str) -> bool:
    """Not a status word or an outcome of success, nor words."""
    return code not in {"9000", "LOAD_DONE"} and code == code.upper()


def _latest(trials: Sequence[Trial], words: Words) -> str:
    """The longest that any town waited until the first of its signs; at once where refused."""
    if not any(one.seen for one in trials):
        return words.of_table("attacks", "at_once")
    told = [[at for at in one.seen.values() if at is not None] for one in trials if one.seen]
    if not all(told):
        return words.of_table("attacks", "at_end")
    return words.waited(max(min(times) for times in told))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
