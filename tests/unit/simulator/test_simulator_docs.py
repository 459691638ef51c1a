"""docs/simulator.md names every fault, every preset and every form of a script."""

import re
from pathlib import Path

from simulator import fault_options
from simulator.script import grammar

DOCS = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text("utf-8")


def test_every_fault_is_in_the_docs() -> None:
    named = set(re.findall(r"`([a-z0-9-]+)(?::[A-Z]+)?`", DOCS))
    assert set(fault_options.NAMES) - named == set()


def test_every_preset_is_in_the_docs_with_what_it_is() -> None:
    missing = [
        name
        for name, fault in fault_options.PRESETS.items()
        if not re.search(rf"\| `{name}` \| . \| `{fault}` \|", DOCS)
    ]
    assert missing == []


def test_every_form_of_a_script_is_in_the_docs() -> None:
    assert [form.example for form in grammar.FORMS if f"| `{form.example}` |" not in DOCS] == []
