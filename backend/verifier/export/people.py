"""People as rows name them: by hand, so that blanks and capitals tell nobody apart."""


def known_as(person: str | None) -> str:
    """What two spellings of one name have in common; empty for nobody."""
    return (person or "").strip().casefold()


def are_two(first: str | None, second: str | None) -> bool:
    """Whether there are both, and they are not the same."""
    return "" != known_as(first) != known_as(second) != ""
