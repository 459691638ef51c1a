"""The report as one HTML file: nothing is loaded from elsewhere, and it prints well."""

from html import escape

from simulator.town.plan.model import FOOD, HYGIENE, MEDICINES
from simulator.town.report import charts, proof
from simulator.town.report.figures import Figures
from simulator.town.report.html_parts import document, figure, number, paragraph, section, table
from simulator.town.report.words import Words

CATEGORIES = {FOOD: "food", HYGIENE: "hygiene", MEDICINES: "medicines"}
_PARTS = (
    proof.breach, proof.frauds, proof.ledger, proof.verifier, proof.reached, proof.looked_at,
)  # fmt: skip


def write_page(figures: Figures, words: Words) -> str:
    """The whole file."""
    breach, *proofs = (part(figures, words) for part in _PARTS)
    went_on = (spending(figures, words), lag(figures, words), faults(figures, words))
    return document(words, "".join((head(figures, words), breach, *went_on, *proofs)))


def head(figures: Figures, words: Words) -> str:
    """What was played, how to play it again, whether it holds, and eight figures."""
    played = words.label(
        "played", begun=words.moment(figures.begun_ms), ended=words.moment(figures.ended_ms),
        days=len(figures.days), people=figures.people, cards=figures.cards,
        lost=figures.cards_lost, shops=len(figures.shops),
        tills=sum(shop.tills for shop in figures.shops),
    )  # fmt: skip
    items = "".join(
        f"<li>{escape(words.label(key))}<b>{escape(value)}</b>{escape(more)}</li>"
        for key, value, more in main_figures(figures, words)
    )
    style = "verdict" if figures.holds else "verdict bad"
    return (
        f"<h1>{escape(words.label('title'))}</h1>{paragraph(played)}"
        f"<p>{escape(words.label('again'))} <code>{escape(figures.command)}</code></p>"
        f"<p class='{style}'><strong>{escape(conclusion(figures, words))}</strong></p>"
        f"<ul class='facts'>{items}</ul>"
    )


def conclusion(figures: Figures, words: Words) -> str:
    """One sentence."""
    if not figures.holds:
        return words.label("does_not_hold")
    return words.label("holds" if figures.complete else "holds_so_far")


def main_figures(figures: Figures, words: Words) -> tuple[tuple[str, str, str], ...]:
    """Label, figure, and what else is to be said of it."""
    caught = sum(attack.caught for attack in figures.attacks)
    return (
        ("sales", words.number(figures.sales), words.money(figures.sales_cents)),
        ("voids", words.number(figures.voids), words.money(figures.void_cents)),
        ("loads", words.number(figures.loads), words.money(figures.loaded_cents)),
        ("faults_struck", words.number(sum(figures.faults.values())),
         words.label("sent_away", count=sum(figures.sent_away.values()))),
        ("frauds", str(len(figures.attacks)),
         words.label("caught_missed", caught=caught, missed=len(figures.attacks) - caught)),
        ("false_alarms", str(sum(figures.alarms_false.values())),
         words.label("missed_alarms", count=sum(figures.alarms_missed.values()))),
        ("waited", words.waited(figures.waits.median_s),
         words.label("longest_is", waited=words.waited(figures.waits.longest_s))),
        ("astray", str(figures.cents_astray), words.label("cents")),
    )  # fmt: skip


def spending(figures: Figures, words: Words) -> str:
    """A day, by category, by shop."""
    rows = [
        (words.label(CATEGORIES[bit]) if bit in CATEGORIES else str(bit), cents, words.money(cents))
        for bit, cents in sorted(figures.by_category.items())
    ]
    shops = table(
        words, ("shop", "tills", "sales", "goods_less_voids", "paid_by_bank"),
        (
            (shop.name, number(shop.tills), number(words.number(shop.sales)),
             number(words.money(shop.cents)), number(words.money(shop.paid)))
            for shop in figures.shops
        ),
    )  # fmt: skip
    categories = charts.shares("categories", words.label("plot_categories"), rows)
    return section(
        words, "spending", figure(words, "plot_spending", charts.spending(figures, words)),
        figure(words, "plot_categories", categories), shops,
    )  # fmt: skip


def lag(figures: Figures, words: Words) -> str:
    """How long entries waited."""
    told = words.label(
        "lag_told", entries=words.number(figures.waits.entries),
        median=words.waited(figures.waits.median_s),
        longest=words.waited(figures.waits.longest_s), waiting=figures.still_waiting,
        never=figures.never_came,
    )  # fmt: skip
    plot = figure(words, "plot_lag", charts.sync_lag(figures, words))
    return section(words, "lag", paragraph(told), plot)


def faults(figures: Figures, words: Words) -> str:
    """What struck, and with which words customers were sent away."""
    rows = [(words.fault(kind), count, str(count)) for kind, count in figures.faults.items()]
    kinds = charts.shares("kinds", words.label("plot_kinds"), rows)
    refusals = table(
        words, ("refusal", "meaning", "times"),
        (
            (code, words.meaning(code), number(count))
            for code, count in figures.sent_away.items()
        ),
    )  # fmt: skip
    return section(
        words, "faults_survived",
        figure(words, "plot_faults", charts.faults(figures, words)) if rows else "",
        figure(words, "plot_kinds", kinds) if rows else paragraph(words.label("no_faults")),
        paragraph(words.label("refusals_told")) + refusals if figures.sent_away else "",
    )  # fmt: skip
