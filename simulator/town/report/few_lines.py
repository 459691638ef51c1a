"""The figures of a run in a few lines, for the terminal."""

from collections.abc import Iterator

from simulator.town.reached import TABLES
from simulator.town.report.figures import Figures
from simulator.town.report.html_page import conclusion, main_figures
from simulator.town.report.words import Words


def summary(figures: Figures, words: Words) -> Iterator[str]:
    """Lines; what is broken comes last, where it is read."""
    yield words.label(
        "played", begun=words.moment(figures.begun_ms), ended=words.moment(figures.ended_ms),
        days=len(figures.days), people=figures.people, cards=figures.cards,
        lost=figures.cards_lost, shops=len(figures.shops),
        tills=sum(shop.tills for shop in figures.shops),
    )  # fmt: skip
    rows = main_figures(figures, words)
    broad = max(len(words.label(key)) for key, _, _ in rows)
    for key, value, more in rows:
        yield f"  {words.label(key):<{broad}}  {value:>10}  {more}"
    yield from _faults(figures, words)
    yield words.label(
        "ledger_told", funded=words.money(figures.funded),
        sum=words.money(sum(figures.accounts.values())), astray=figures.cents_astray,
    )  # fmt: skip
    missing = sum(len(figures.unreached(table)) for table in TABLES)
    ways = sum(map(len, TABLES.values()))
    yield words.label("ways_gone", gone=ways - missing, ways=ways)
    yield from _judged(figures, words)
    yield f"{words.label('again')} {figures.command}"
    if figures.failure is not None:
        yield ": ".join(words.breach(figures.failure))
    yield conclusion(figures, words)


def _faults(figures: Figures, words: Words) -> Iterator[str]:
    told = ", ".join(f"{words.fault(kind)} {count}" for kind, count in figures.faults.items())
    if told:
        yield f"{words.label('section_faults_survived')}: {told}"


def _judged(figures: Figures, words: Words) -> Iterator[str]:
    """What the verifier says, and what came of each adversary."""
    verdict = words.label("verifier_ok" if figures.verifier["ok"] else "verifier_not_ok")
    yield f"{words.label('section_verifier')}: {verdict}"
    for finding in figures.verifier["findings"]:
        yield f"  {finding['code']}: {finding['means']}"
    for attack in figures.attacks:
        yield words.label(
            "attack_told", name=attack.name, attempts=attack.attempts,
            gain=words.money(attack.gain), bound=words.money(attack.bound),
            judged=words.label("caught" if attack.caught else "not_caught"),
        )  # fmt: skip
