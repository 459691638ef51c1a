"""What a campaign has played so far: one JSON object a line, added as each town ends.

The first line names the measure and the code that played (:func:`code_stamp`); a book of
another measure or of other code is begun anew, since its results say nothing about this one.
"""

import json
from collections.abc import Callable, Hashable, Iterator
from dataclasses import asdict
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PACKAGES = ("cardlib", "terminal", "backend", "simulator", "migrations")


class Result(Protocol):
    """What came of one town. ``key`` tells it from the others of its campaign."""

    @property
    def key(self) -> Hashable:
        """Under which it is found again."""
        ...

    def as_json(self) -> dict[str, Any]:
        """The arguments that make it again."""
        ...


R = TypeVar("R", bound=Result)


class Book(Generic[R]):
    """The results in ``path``; ``make`` makes one of what its ``as_json`` told."""

    def __init__(self, path: Path, measure: "DataclassInstance", make: Callable[..., R]) -> None:
        self._path = path
        self._make = make
        self._title = {"measure": asdict(measure), "code": code_stamp()}

    def begin(self, *, anew: bool = False) -> dict[Any, R]:
        """What was played before under this very title, by key; else an empty book."""
        lines = self._lines() if self._path.exists() and not anew else iter(())
        if next(lines, None) == self._title:
            return {result.key: result for result in (self._make(**line) for line in lines)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._title) + "\n", "utf-8")
        return {}

    def add(self, played: R) -> None:
        """Adds a result at once, so that a stopped campaign loses only what was under way."""
        with self._path.open("a", encoding="utf-8") as book:
            book.write(json.dumps(played.as_json()) + "\n")

    def _lines(self) -> Iterator[dict[str, Any]]:
        """The lines that are whole; a torn last one was never added."""
        for line in self._path.read_text("utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return


def code_stamp() -> str:
    """SHA-256 over the source of every package: other code, other results."""
    digest = sha256()
    for package in PACKAGES:
        for path in sorted(Path(str(files(package))).rglob("*.py")):
            digest.update(str(path.relative_to(Path(str(files(package))).parent)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
