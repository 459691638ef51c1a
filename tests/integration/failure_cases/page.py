"""The page docs/failure-cases.md, made from the tests themselves.

A test belongs to case N when its name begins with ``test_case_NN_``; what other bad
answers there are begins with ``test_bad_answer``. Make the page anew with
``python -m tests.integration.failure_cases``.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "failure-cases.md"
PLACES = (Path(__file__).parent, ROOT / "tests" / "real_stack")
REAL = "the real thing"
HEAD = """\
# Failure cases

What a till must survive with a card in its reader, and the tests that show it. Made by
`python -m tests.integration.failure_cases`; a test compares it with the tests.

Each test ends the same way: card and journal agree to the cent, the code that was shown
has a sentence in both languages, and the next sale works. *Stands in* names what a test
uses where the real thing cannot be had on a machine without a card.

| no. | case | stands in for it | tests |
|---|---|---|---|
"""
OTHERS = """
## Other bad answers

| case | tests |
|---|---|
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One row: what happens, and what plays it."""

    words: str
    stand_in: str


CASES = {
    1: Case("pull before the PIN", "a fault wrapper between card and host"),
    2: Case("pull after VERIFY", "a fault wrapper between card and host"),
    3: Case("pull during UPDATE, nothing written", "power lost inside the virtual chip"),
    4: Case("pull during UPDATE, fully written, no response", "a fault wrapper"),
    5: Case("half-written record", "power lost inside the virtual chip"),
    6: Case("pointer and data of the ring disagree", "power lost inside the virtual chip"),
    7: Case("pull between UPDATE and read-back", "a fault wrapper"),
    8: Case("pull during the certificate", "a fault wrapper"),
    9: Case("other card inserted in recovery", "two virtual cards"),
    10: Case("same card, used elsewhere meanwhile", "two tills, one virtual card"),
    11: Case("mute card, bad ATR", "a fault wrapper; ATRs of our own"),
    12: Case(
        "T=0 61xx and 6Cxx, T=1 R-block and WTX, wrong protocol",
        "the fictitious T=0 mask; a slow card, since R-blocks and WTX end in the reader's driver",
    ),
    13: Case("unexpected status, 6581, 6983, 6985, 6700 among them", "a fault wrapper"),
    14: Case("PIN wrong, PIN blocked, PUK", REAL + ", on the virtual card"),
    15: Case("key version unknown", REAL + ", on the virtual card"),
    16: Case("record MAC bad", "a fault wrapper; a damaged record on the virtual card"),
    17: Case("grant signature bad", "a grant signed by another key"),
    18: Case("counter or total at its maximum", REAL + ", on the virtual card"),
    19: Case("cyclic file wraps past 20", REAL + ", on the virtual card"),
    20: Case("expired card, unknown scheme version", REAL + ", on the virtual card"),
    21: Case(
        "reader unplugged in the middle of an APDU and back under another name",
        "a connection that is lost, and another one to the same card",
    ),
    22: Case("pcscd killed and restarted", "a lost service in the process; the real pcscd too"),
    23: Case("polkit denies access", "a socket that this user may not open"),
    24: Case("sharing violation by another program", REAL + ", through pcscd"),
    25: Case("USB hangs for 30 s", "a silent peer, and virtual time"),
    26: Case("two readers, wrong slot", REAL + ", two virtual readers behind pcscd"),
    27: Case("module removed or silent after the card has committed", "a module that raises"),
    28: Case("laptop suspended in a transaction", "a clock that jumps and a reset"),
}


def names_of_tests() -> Iterator[str]:
    """Names of all test functions of these cases, in the order of files and lines."""
    for place in PLACES:
        for path in sorted(place.glob("test_*.py")):
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                    node.name.startswith(("test_case_", "test_bad_answer_"))
                ):
                    yield node.name


def number_of(test: str) -> int | None:
    """The case a test belongs to, None for the other bad answers."""
    return int(test.split("_")[2]) if test.startswith("test_case_") else None


def page() -> str:
    """The page as it should be."""
    found = list(names_of_tests())
    lines = [HEAD]
    for number, case in CASES.items():
        named = [test for test in found if number_of(test) == number]
        lines.append(f"| {number} | {case.words} | {case.stand_in} | {_cell(named)} |\n")
    lines.append(OTHERS)
    for test in found:
        if number_of(test) is None:
            words = test.removeprefix("test_bad_answer_").replace("_", " ")
            lines.append(f"| {words} | {_cell([test])} |\n")
    return "".join(lines)


def _cell(names: list[str]) -> str:
    return "<br>".join(f"`{name}`" for name in names)
