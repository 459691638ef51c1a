"""The pictures in the docs show what the program shows."""

from pathlib import Path

from tests.pictures import __main__ as pictures
from tests.pictures import till


def test_the_committed_pictures_are_what_the_till_shows() -> None:
    assert pictures.stale(till.pictures()) == []


def test_a_changed_picture_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "same.svg").write_text("one", "utf-8")
    (tmp_path / "old.svg").write_text("two", "utf-8")
    made = {"same.svg": "one", "old.svg": "three", "new.svg": "four"}
    assert pictures.stale(made, tmp_path) == ["old.svg", "new.svg"]
