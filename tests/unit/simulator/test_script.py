"""Scripts: what they say happens, and a line that does not come true is named."""

from pathlib import Path

import pytest

from simulator.card.masks import WHITE
from simulator.card.randomness import SeededRandomness
from simulator.errors import ScriptError
from simulator.script import Player, grammar, parse
from simulator.shelf import Shelf
from simulator.slot import Slot
from simulator.timing import VirtualClock


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path, SeededRandomness("script"))
    for name in ("anna", "bruno"):
        made.new_card(name, WHITE)
    return made


@pytest.fixture
def said() -> list[str]:
    return []


def play(shelf: Shelf, script: str, said: list[str] | None = None) -> VirtualClock:
    """Plays a script in two slots of this process, in virtual time."""
    clock = VirtualClock()
    slots = [Slot(number, clock) for number in (1, 2)]
    Player(shelf, slots, clock, tell=(said if said is not None else []).append).play(
        parse(script.splitlines())
    )
    return clock


def refused(shelf: Shelf, script: str) -> ScriptError:
    with pytest.raises(ScriptError) as error:
        play(shelf, script)
    return error.value


@pytest.mark.parametrize("form", grammar.FORMS, ids=lambda form: form.example)
def test_every_form_understands_its_example(form: grammar.Form) -> None:
    (step,) = parse([f"   {form.example}   # as in the docs"])
    assert step.action == form.action
    (shouted,) = parse([form.example.upper()])
    assert shouted.action == form.action


def test_pins_are_asked_and_blocked(shelf: Shelf) -> None:
    play(
        shelf,
        """
        insert card anna
        read
        expect OK
        verify 12345
        expect OK
        verify 99999
        expect PIN_WRONG
        verify 99999
        verify 99999
        expect PIN_BLOCKED
        """,
    )


def test_a_tear_is_followed_by_putting_the_card_back(shelf: Shelf) -> None:
    play(
        shelf,
        """
        insert card anna
        at VERIFY tear after
        verify 12345
        expect CARD_GONE
        read
        expect CARD_GONE
        put back
        no faults
        verify 12345
        expect OK
        """,
    )


def test_an_idle_card_is_reset_in_virtual_time(shelf: Shelf) -> None:
    clock = play(
        shelf,
        """
        insert anna
        from now on idle reset
        read
        expect OK
        wait 6 s
        read
        expect CARD_GONE
        read
        expect OK
        wait 500 ms
        """,
    )
    assert clock.monotonic_ms() == 6500


def test_faults_strike_where_they_are_told(shelf: Shelf) -> None:
    play(
        shelf,
        """
        insert anna
        at command 2 forge 6985
        send 00A4080C041200B001
        expect 9000
        send 00B0810011
        expect 6985
        at READ BINARY 1 answer 6581
        send 00B0810011
        expect 6581
        from now on PIN wedge
        verify 99999
        expect OK
        no faults
        fault blocked-pin
        verify 12345
        expect PIN_BLOCKED
        """,
    )


def test_cards_are_swapped_and_two_slots_are_apart(shelf: Shelf, said: list[str]) -> None:
    play(
        shelf,
        """
        insert anna in slot 2
        from now on PIN blocked in slot 2
        swap to bruno
        verify 12345
        expect OK
        verify 12345 in slot 2
        expect PIN_BLOCKED
        remove from slot 1
        say bruno is out, Anna is in
        """,
        said,
    )
    assert said == ["bruno is out, Anna is in"]


def test_wallets_are_looked_at(shelf: Shelf) -> None:
    play(shelf, "insert anna\nexpect wallet 1 100.00 EUR\nexpect wallet 2 40,00")
    unmet = refused(shelf, "insert anna\nexpect wallet 2 41.00")
    assert unmet.facts == {"line": 2, "expected": "41.00 EUR", "found": "40.00 EUR"}


def test_held_back_commands_are_released(shelf: Shelf) -> None:
    play(
        shelf,
        """
        insert anna
        at VERIFY hold back
        verify 99999
        expect CARD_ANSWER
        release
        verify 99999
        expect PIN_WRONG
        verify 99999
        expect PIN_BLOCKED
        """,
    )


def test_a_script_waits_for_others_and_gives_up(shelf: Shelf) -> None:
    play(shelf, "insert anna\nread\nwait for SELECT within 1 s\nwait for READ BINARY within 1 s")
    unmet = refused(shelf, "insert anna\nwait for UPDATE RECORD within 2 s")
    assert (unmet.code, unmet.facts["line"]) == ("SCRIPT_NOT_SAID", 2)


@pytest.mark.parametrize(
    ("script", "code", "line"),
    [
        ("insert anna\n\nexpect PIN_WRONG", "SCRIPT_NO_OUTCOME", 3),
        ("insert anna\nread\nexpect PIN_WRONG", "SCRIPT_UNMET", 3),
        ("insert anna\nexpect wallet 6 1.00", "SCRIPT_NO_WALLET", 2),
        ("insert carla", "SCRIPT_CARD", 1),
        ("# nobody\nread", "SCRIPT_SLOT_EMPTY", 2),
        ("insert anna in slot 7", "SCRIPT_SLOT_EMPTY", 1),
        ("insert anna\nat SELCT tear after", "SCRIPT_LINE", 2),
        ("insert anna\nat SELECT tear sideways", "SCRIPT_LINE", 2),
        ("insert anna\nfault hurricane", "SCRIPT_LINE", 2),
        ("insert anna\nfrom now on rain", "SCRIPT_LINE", 2),
        ("new card carla papyrus", "SCRIPT_LINE", 1),
        ("dance", "SCRIPT_LINE", 1),
        ("wait a while", "SCRIPT_LINE", 1),
    ],
)
def test_a_line_that_fails_is_named_by_its_number(
    shelf: Shelf, script: str, code: str, line: int
) -> None:
    error = refused(shelf, script)
    assert (error.code, error.facts["line"]) == (code, line)


def test_a_bad_line_is_told_what_it_might_have_said(shelf: Shelf) -> None:
    known = str(refused(shelf, "wait a while").facts["known"])
    assert known == "wait 6 s; wait for UPDATE RECORD within 30 s"
