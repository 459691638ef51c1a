"""Runs the benchmarks and prints a table; exit 1 when a target is missed.

The targets on PostgreSQL, on ten million sales and on the till's start belong to
parts that are not built yet; the table names only what was measured.
"""

import importlib
import sys
import tempfile
from pathlib import Path

from tests import needs
from tests.bench.measure import Figure

PARTS = ("sale", "journal", "ingest", "reader")


def run(names: tuple[str, ...]) -> list[Figure]:
    """Every figure of the parts named."""
    figures: list[Figure] = []
    for name in names:
        if name == "reader" and needs.missing(["pcsc"]):
            print("reader: left out, pcscd or vpcd is missing", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            module = importlib.import_module(f"tests.bench.{name}")
            for figure in module.figures(Path(folder)):
                state = "holds" if figure.holds else "MISSED"
                print(f"{state:<7} {figure.what}: {figure.measured} (target {figure.target})")
                figures.append(figure)
    return figures


if __name__ == "__main__":
    chosen = tuple(sys.argv[1:]) or PARTS
    sys.exit(0 if all(figure.holds for figure in run(chosen)) else 1)
