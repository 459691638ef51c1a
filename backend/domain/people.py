"""Who acts: the names that use cases take from whoever calls."""

from backend.errors import BadInputError, NotPermittedError

SYSTEM = "system"
"""Who decided what resolved itself: no person."""


def check_person(*people: str) -> None:
    """BadInputError ``PERSON_BAD`` for a blank name, and for the one that is no person's."""
    for person in people:
        if person.strip().casefold() in {"", SYSTEM}:
            raise BadInputError("PERSON_BAD", person=person.strip())


def is_same(one: str, other: str) -> bool:
    """Whether both names are one person's, however spelled."""
    return one.strip().casefold() == other.strip().casefold()


def check_two_people(requested_by: str, approved_by: str) -> None:
    """Nobody approves what they asked for: NotPermittedError ``SAME_PERSON``, however spelled;
    BadInputError ``PERSON_BAD``."""
    check_person(requested_by, approved_by)
    if is_same(requested_by, approved_by):
        raise NotPermittedError("SAME_PERSON", person=approved_by)
