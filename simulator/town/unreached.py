"""Why a town of honest people does not go some ways of ``reached.TABLES``.

What is in no table here can be gone, and is left out of a run by chance only. Each reason is a
sentence of the catalogue; ``python -m simulator.town.unreached`` prints the table of
``docs/town.md``.
"""

import sys
from collections.abc import Mapping, Sequence

from cardlib.text.catalogue import label

_BY_REASON: Mapping[str, Mapping[str, str]] = {
    "rogue_card": {
        "posting": "unproven>contradicted",
        "posting_reason": "SALE_CONTRADICTED/SALE_OVERDRAWN",
        "transfer": "disproved/fork_dead/case_covered",
    },
    "between": {"recovery": "no_answer"},
    "held_back": {
        "order": "void>on_card",
        "grant": "void>loading",
        "posting_reason": "SALE_NOT_APPLIED",
        "transfer": "not_applied_proven",
    },
    "thief": {"posting_reason": "SALE_TERMINAL_LOST"},
    "tested": {
        "sale": "unknown>unresolved by read_unresolved/not_applied>unresolved by read_unresolved"
        "/card_read>idle by card_refused/basket>idle by card_refused"
        "/not_applied>closed by read_committed",
        "recovery": "overwritten/hash_over_other_bytes/not_linked/rolled_back/no_record",
        "posting_reason": "VOID_AFTER_CLOSE",
    },
    "unshown": {
        "grant": "loading>superseded",
        "posting": ">contradicted/contradicted>unproven/contradicted>proven",
        "posting_reason": "SALE_GRANT_SUPERSEDED/SALE_AFTER_BLOCK",
    },
    "amounts_stay": {"sale": "basket>idle by card_gone"},
    "soft_module": {"sale": "intent>idle by not_sent"},
    "legacy": {"posting_reason": "SALE_ORACLE"},
    "entered_at_once": {"posting_reason": "SALE_GRANT_UNKNOWN", "transfer": "grant_covers"},
    "stays_open": {"terminal": "active>closed"},
    "stays_enabled": {"posting_reason": "SALE_MERCHANT_NOT_ENABLED"},
    "guard": {"posting_reason": "SALE_EXPIRED/SALE_AFTER_LAST_DAY"},
    "room_left": {"session_outcome": "LOAD_AGAIN"},
    "own_slot": {"transfer": "wallet_left"},
    "returns": {"transfer": "return_agreed/return_repaid"},
}
"""Reason, table, and its ways, with slashes between."""
BY_ADVERSARIES = frozenset({"rogue_card", "between", "held_back", "thief"})
"""Reasons that send to the adversaries: some of them must go each of these ways."""
TESTS: Mapping[str, str] = {
    "sale": "tests/integration/terminal/test_states.py",
    "recovery": "tests/unit/terminal/test_recovery_table.py",
    "posting_reason": "tests/integration/backend/test_late_voids.py",
}
"""Where the ways of the reason ``tested`` are gone, by table."""
REASONS: Mapping[tuple[str, str], str] = {
    (table, way): reason
    for reason, tables in _BY_REASON.items()
    for table, ways in tables.items()
    for way in ways.split("/")
}
"""Key of the sentence, by table and way."""


def left_to_adversaries() -> list[str]:
    """The ways that nobody goes but an adversary, as ``table: way``."""
    return [named(*key) for key, reason in REASONS.items() if reason in BY_ADVERSARIES]


def gone_by_adversary(counts: Mapping[tuple[str, str], int]) -> list[str]:
    """Those of them that are counted here."""
    gone = (key for key, reason in REASONS.items() if reason in BY_ADVERSARIES)
    return [named(*key) for key in gone if counts.get(key)]


def named(table: str, way: str) -> str:
    """A way with its table."""
    return f"{table}: {way}"


def why(table: str, way: str, lang: str) -> str:
    """The reason as a sentence; empty for a way that chance alone has left out."""
    reason = REASONS.get((table, way))
    return label("town_unreached", reason, lang) if reason else ""


def grouped(
    unreached: Mapping[str, Sequence[str]], lang: str
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Ways that chance has left out, by table; and the others, by the sentence that says why."""
    chance: dict[str, list[str]] = {}
    reasons: dict[str, list[str]] = {}
    for table, ways in unreached.items():
        for way in ways:
            reason = why(table, way, lang)
            group = reasons.setdefault(reason, []) if reason else chance.setdefault(table, [])
            group.append(way)
    return chance, reasons


def page(lang: str) -> str:
    """The table of the manual, in Markdown."""
    rows = [
        f"| {', '.join(f'`{way}`' for way in ways.replace('/', ', ').split(', '))} ({table})"
        f" | {label('town_unreached', reason, lang)} |"
        for reason, tables in _BY_REASON.items()
        for table, ways in tables.items()
    ]
    return "\n".join(["| way (table) | why not |", "|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page("en"))
