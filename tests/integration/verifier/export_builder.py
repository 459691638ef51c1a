"""The good export that most tests spoil.

Loads, sales, a void, a second load, an unproven sale, three batches, one payment
that the bank sends back and two that it makes.
"""

from copy import deepcopy

from tests.integration.verifier.export_files import Files, Row, chain, write
from tests.integration.verifier.town_books import ISSUER, OPERATOR, Town, twin_of


def build(*, fork: bool = False) -> Files:
    """The rows; with ``fork``, one card served two tills at once and both were posted."""
    return _build(Town(), fork=fork)[0]


def bound() -> tuple[Files, list[Row]]:
    """The same books, bound from outside: heads in acknowledgements and closes, a statement.

    The second part is what the baker kept: the statement, and the acknowledgement.
    """
    files, kept = _build(Town(bound=True), fork=False)
    return deepcopy(files), deepcopy(kept)


def _build(town: Town, *, fork: bool) -> tuple[Files, list[Row]]:
    anna, bruno, baker, grocer = town.anna, town.bruno, town.baker, town.grocer
    first = town.load(anna, 1, 1, 10_000)
    second = town.load(bruno, 2, 1, 8_000, award=2)
    baker.saw(first)
    bread = town.post(anna, baker.sale(anna, first, 1_250), 1_250, 1)
    grocer.saw(first)
    milk = town.post(anna, grocer.sale(anna, first, 700), 700, 2)
    twin = twin_of(anna)
    sold = grocer.entries[-2].header.seq
    back = town.post(anna, grocer.sale(anna, first, 200, voided=sold), -200, 2)
    town.attest(anna)
    if fork:
        town.post(twin, baker.sale(twin, first, 100), 100, 1)
    if town.bound:
        baker.close(town.head())
    third = town.load(anna, 3, 2, 5_000, carried=10_000 - 1_750)
    cake = town.post(anna, baker.sale(anna, third, 3_000), 3_000, 1)
    fruit = town.post(bruno, grocer.sale(bruno, second, 2_000), 2_000, 2)
    town.post(bruno, baker.sale(bruno, second, 900, tc=False), 900, 1, "unproven")
    kept = []
    if town.bound:
        grocer.close(None)
        stated = town.statement(baker, {bread: 1_250, cake: 3_000})
        kept.append({"merchant": 1, "bytes": stated.hex()})
    town.settle(1, 1, {bread: 1_250, cake: 3_000}, "paid")
    town.settle(2, 2, {milk: 700, back: -200}, "failed")
    town.settle(3, 2, {milk: 700, back: -200, fruit: 2_000}, "paid")
    files = town.exported()
    return files, [*kept, files["acknowledgements.jsonl"][0]]


_GOOD = build()


def good() -> Files:
    """A copy of the good export, to be spoilt."""
    return deepcopy(_GOOD)


__all__ = ["ISSUER", "OPERATOR", "Files", "Row", "bound", "build", "chain", "good", "write"]
