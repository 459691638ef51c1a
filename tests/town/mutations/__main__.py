"""``python -m tests.town.mutations``: see the package."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import structlog

from tests.town.mutations.catalogue import DEFECTS
from tests.town.mutations.defect import Defect
from tests.town.mutations.page import PAGE, page_of, rows
from tests.town.mutations.playing import SEEDS, Caught, hunt, play

_LINE = "{law:>3}  {name:22} {seeds:>5}  {code:24} {happening}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays what is asked for; 1 when a defect went unnoticed."""
    asked = _asked(arguments)
    logger = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=logger)
    chosen = [
        one
        for one in DEFECTS
        if asked.law in (0, one.law) and (not asked.only or one.name in asked.only.split(","))
    ]
    print(_LINE.format(law="law", name="defect", seeds="seeds", code="caught by", happening="at"))
    known = {} if asked.from_one else {row.name: row.seed for row in rows()}
    found = [(one, _hunted(one, asked.seeds, known.get(one.name, 1))) for one in chosen]
    if asked.json is not None:
        facts = [_facts(defect, caught) for defect, caught in found]
        asked.json.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    caught = [(defect, what) for defect, what in found if what is not None]
    print(f"{len(caught)} of {len(found)} caught")
    clean = _all_clean(caught)
    if asked.page and clean and len(caught) == len(found):
        PAGE.write_text(page_of(caught), "utf-8")
    return 0 if found and clean and len(caught) == len(found) else 1


def _all_clean(caught: Sequence[tuple[Defect, Caught]]) -> bool:
    """Whether nothing is wrong in the same towns without a defect."""
    clean = True
    for town, seed in sorted({(defect.town, what.seed) for defect, what in caught}):
        wrong = play(town, seed)
        if wrong is not None:
            print(f"NOT CLEAN without a defect: {town} {seed}: {wrong}", flush=True)
            clean = False
    return clean


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.town.mutations", description=__doc__)
    parser.add_argument("--law", type=int, default=0, help="the defects of one law")
    parser.add_argument("--only", default="", metavar="NAMES", help="some defects, with commas")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many are played at most")
    parser.add_argument(
        "--from-one", action="store_true", help="not first the seed that caught it last time"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="the result, for machines")
    parser.add_argument(
        "--page",
        action="store_true",
        help="write what was played into docs/mutations.md, if all are caught",
    )
    return parser.parse_args(arguments)


def _hunted(defect: Defect, seeds: int, first: int) -> Caught | None:
    others = (seed for seed in range(1, seeds + 1) if seed != first)
    caught = hunt(defect, [first, *others])
    told = caught or Caught(0, "NOT CAUGHT", 0, "", "")
    line = _LINE.format(
        law=defect.law, name=defect.name, seeds=told.seed or seeds, code=told.code,
        happening=told.happening,
    )  # fmt: skip
    print(line, flush=True)
    return caught


def _facts(defect: Defect, caught: Caught | None) -> dict[str, object]:
    sites = [site.place for site in defect.sites]
    said = asdict(caught) if caught else None
    return {
        "defect": defect.name, "law": defect.law, "does": defect.does, "sites": sites,
        "town": defect.town, "caught": said,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
