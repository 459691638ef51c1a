"""The part of the report that proves: frauds, the ledger's equation, the verifier, the tables."""

from collections.abc import Sequence
from html import escape
from typing import Any

from simulator.town.reached import TABLES
from simulator.town.report import charts
from simulator.town.report.attack import Attack
from simulator.town.report.figures import Figures
from simulator.town.report.html_parts import Cell, figure, number, paragraph, section, table
from simulator.town.report.words import Words
from simulator.town.unreached import grouped


def breach(figures: Figures, words: Words) -> str:
    """The broken law; empty where all hold."""
    if figures.failure is None:
        return ""
    code, sentence = words.breach(figures.failure)
    return section(words, "breach", f"<p><code>{escape(code)}</code>: {escape(sentence)}</p>")


def frauds(figures: Figures, words: Words) -> str:
    """Adversaries with gain, bound and when they were seen; every alarm, judged."""
    judged = (
        ("explained", figures.alarms_explained), ("false", figures.alarms_false),
        ("missed", figures.alarms_missed),
    )  # fmt: skip
    rows = [
        (code, words.meaning(code), words.label(word), number(count))
        for word, counts in judged
        for code, count in counts.items()
    ]
    alarms = table(words, ("alarm", "meaning", "judged", "times"), rows)
    attacks = table(
        words, ("attack", "says_the_model", "attempts", "gain", "bound", "seen", "judged"),
        (_attack(attack, words) for attack in figures.attacks),
    )  # fmt: skip
    return section(
        words, "frauds",
        attacks if figures.attacks else paragraph(words.label("no_attacks")),
        alarms if rows else paragraph(words.label("no_alarms")),
    )  # fmt: skip


def _attack(attack: Attack, words: Words) -> Sequence[Cell]:
    moments = {code: words.moment(at_ms) for code, at_ms in attack.seen_ms.items()}
    seen = [f"{code} ({moments.get(code, when)})" for code, when in attack.seen.items()]
    seen += [f"{code} ×{count}" for code, count in attack.refusals.items()]
    return (
        attack.name, f"{attack.source}: {words.label(attack.claim)}", number(attack.attempts),
        number(words.money(attack.gain)), number(words.money(attack.bound)), ", ".join(seen),
        words.label("caught" if attack.caught else "not_caught"),
    )  # fmt: skip


def ledger(figures: Figures, words: Words) -> str:
    """Funded = the sum of all accounts, as a picture."""
    told = words.label(
        "ledger_told", funded=words.money(figures.funded),
        sum=words.money(sum(figures.accounts.values())), astray=figures.cents_astray,
    )  # fmt: skip
    plot = figure(words, "plot_equation", charts.equation(figures, words))
    return section(words, "ledger", paragraph(told), plot)


def verifier(figures: Figures, words: Words) -> str:
    """What the independent verifier says of an export."""
    verdict = figures.verifier
    laws = table(
        words, ("law", "what_law", "judged", "findings"),
        (
            (law_number if law_number != "0" else "–", law["name"], law["word"],
             number(law["findings"]))
            for law_number, law in verdict["laws"].items()
        ),
    )  # fmt: skip
    found: list[dict[str, Any]] = verdict["findings"]
    findings = "".join(
        f"<li><code>{item['code']}</code> {escape(item['means'])}</li>" for item in found
    )
    told = words.label("verifier_ok" if verdict["ok"] else "verifier_not_ok")
    return section(
        words, "verifier", paragraph(told), laws, f"<ul>{findings}</ul>" if found else ""
    )


def reached(figures: Figures, words: Words) -> str:
    """Which ways of the product's tables were gone, and which were not."""
    rows = []
    for name, ways in TABLES.items():
        missing = figures.unreached(name)
        gone = f"{len(ways) - len(missing)} / {len(ways)}"
        rows.append((words.label(f"table_{name}"), number(gone), ", ".join(missing)))
    told = paragraph(words.label("reached_told"))
    _, reasons = grouped({name: figures.unreached(name) for name in TABLES}, words.lang)
    why = "".join(f"<li>{escape(said)}: {escape(', '.join(w))}</li>" for said, w in reasons.items())
    return section(
        words, "reached", told, table(words, ("table", "gone", "not_reached"), rows),
        f"<ul>{why}</ul>" if why else "",
    )  # fmt: skip


def looked_at(figures: Figures, words: Words) -> str:
    """What the checks have looked at."""
    rows = [
        (words.label(f"looked_{name}"), number(words.number(count)))
        for name, count in figures.looked_at.items()
    ]
    return section(words, "checks", table(words, ("looked_at", "times"), rows))
