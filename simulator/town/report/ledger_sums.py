"""What the books of a town come to, asked in plain SQL beside the product's own mapping."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from backend.verifier.audit import Verdict
from backend.verifier.report import json_object
from backend.verifier.report.texts import Texts
from cardlib.calendar import day_at
from simulator.town.checks.sql import Sql
from simulator.town.state import Town

CHAIN = ("fund", "committed", "loading", "on_card", "payable", "in_payment", "paid")
"""The way of the money, by kind of account."""
_EXTERNAL = "external"
_BY_CATEGORY = (
    "SELECT l.category, i.voided_seq IS NOT NULL, sum(l.cents) FROM intent i"
    " JOIN intent_line l ON l.terminal = i.terminal AND l.seq = i.seq"
    " WHERE i.state = 'committed' GROUP BY 1, 2"
)
_LOADED = (
    "SELECT t.event_time, t.cents FROM transfer t JOIN account s ON s.id = t.source_id"
    " JOIN account g ON g.id = t.target_id"
    " WHERE t.kind = 'grant_confirmed' AND s.kind = 'loading' AND g.kind = 'on_card'"
)
_ORDERS = "SELECT state, count(*) FROM load_order GROUP BY state"


@dataclass(frozen=True, slots=True)
class Books:
    """Cents by category number, by day and by kind of account; orders by state."""

    by_category: Mapping[int, int]
    loaded_by_day: Mapping[date, int]
    orders: Mapping[str, int]
    accounts: Mapping[str, int]
    funded: int

    @property
    def astray(self) -> int:
        """Funded less all accounts together: law 1 says 0."""
        return self.funded - sum(self.accounts.values())


def read_books(town: Town) -> Books:
    """The backend's database as it is now."""
    sql = Sql(town.engine)
    try:
        by_category, loaded = Counter[int](), Counter[date]()
        for category, void, cents in sql.ask(_BY_CATEGORY):
            by_category[category] += -cents if void else cents
        for event_s, cents in sql.ask(_LOADED):
            loaded[day_at(event_s)] += cents
        rows = sql.ask("SELECT kind, sum(balance_cents) FROM account GROUP BY kind")
        accounts = {kind: cents for kind, cents in rows if cents and kind != _EXTERNAL}
        funded = sql.one("SELECT coalesce(sum(cents), 0) FROM funding")[0]
        return Books(dict(by_category), dict(loaded), dict(sql.ask(_ORDERS)), accounts, funded)
    finally:
        sql.close()


def in_words(verdict: Verdict, lang: str) -> dict[str, Any]:
    """What the independent verifier says, in its own JSON form and words."""
    texts = Texts(lang)
    told = json_object.as_json(verdict, texts)
    for number, law in told["laws"].items():
        law["name"] = texts.of("laws", number)
        law["word"] = texts.of("status", law["status"])
    return told
