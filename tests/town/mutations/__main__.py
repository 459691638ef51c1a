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
from tests.town.mutations.page import PAGE, page_of
from tests.town.mutations.playing import SEEDS, Caught, hunt

_LINE = "{law:>3}  {name:22} {seeds:>5}  {code:24} {happening}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays what is asked for; 1 when a defect went unnoticed."""
    asked = _asked(arguments)
    logger = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=logger)
    chosen = [one for one in DEFECTS if asked.law in (0, one.law) and asked.only in ("", one.name)]
    print(_LINE.format(law="law", name="defect", seeds="seeds", code="caught by", happening="at"))
    found = [(defect, _hunted(defect, asked.seeds)) for defect in chosen]
    if asked.json is not None:
        facts = [_facts(defect, caught) for defect, caught in found]
        asked.json.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    caught = [(defect, what) for defect, what in found if what is not None]
    print(f"{len(caught)} of {len(found)} caught")
    if asked.page and len(caught) == len(found) == len(DEFECTS):
        PAGE.write_text(page_of(caught), "utf-8")
    return 0 if found and len(caught) == len(found) else 1


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.town.mutations", description=__doc__)
    parser.add_argument("--law", type=int, default=0, help="the defects of one law")
    parser.add_argument("--only", default="", metavar="NAME", help="one defect")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many are played at most")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the result, for machines")
    parser.add_argument("--page", action="store_true", help="write docs/mutations.md, if all are")
    return parser.parse_args(arguments)


def _hunted(defect: Defect, seeds: int) -> Caught | None:
    caught = hunt(defect, range(1, seeds + 1))
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
