"""The agent's step: what it does after each thing that may happen to it."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.wire.service import CLOCK_OFF
from cardlib.wire.upload import BATCH_ENTRIES_MAX
from terminal.agent.step import (
    BACKOFF_FIRST_S,
    BACKOFF_MAX_S,
    IDLE_S,
    NOT_PLACED,
    RETRY_AFTER_MAX_S,
    Acknowledged,
    Action,
    Beat,
    Beaten,
    BundleInstalled,
    Event,
    FetchBundle,
    FetchKeys,
    KeysTold,
    Rest,
    RoundBegins,
    State,
    Stop,
    Trouble,
    Upload,
    step,
)


def begins(head: int, acknowledged: int = 0, bundle: int = 1, *, beat: bool = False) -> RoundBegins:
    return RoundBegins(head=head, acknowledged=acknowledged, bundle=bundle, beat_due=beat)


def answer(high: int, bundle: int = 1, head: int = 0) -> Acknowledged:
    return Acknowledged(high=high, bundle=bundle, head=head)


def play(*events: Event, state: State | None = None) -> list[Action]:
    state = state or State()
    actions = []
    for event in events:
        state, action = step(state, event)
        actions.append(action)
    return actions


def test_everything_that_waits_goes_in_bounded_batches() -> None:
    assert play(begins(1200), answer(500), answer(1000), answer(1200)) == [
        Upload(0, 500), Upload(500, 500), Upload(1000, 200), Rest(IDLE_S),
    ]  # fmt: skip


def test_with_nothing_to_send_the_backend_is_asked_all_the_same() -> None:
    """Its answer carries the time and the bundle's version."""
    assert play(begins(7, 7), answer(7)) == [Upload(7, 0), Rest(IDLE_S)]


def test_a_heartbeat_is_written_after_the_answer_and_carried_too() -> None:
    assert play(begins(3, beat=True), answer(3), Beaten(4), answer(4, head=4)) == [
        Upload(0, 3), Beat(), Upload(3, 1), Rest(IDLE_S),
    ]  # fmt: skip


def test_no_second_upload_when_the_till_writes_its_own_heartbeats() -> None:
    assert play(begins(3, beat=True), answer(3), Beaten(3))[-1] == Rest(IDLE_S)


def test_a_newer_bundle_is_fetched_after_the_sales() -> None:
    assert play(begins(600), answer(500, bundle=2), answer(600, bundle=2), BundleInstalled(2)) == [
        Upload(0, 500), Upload(500, 100), FetchBundle(), Rest(IDLE_S),
    ]  # fmt: skip


def test_an_older_bundle_is_not_fetched() -> None:
    assert play(begins(1, bundle=9), answer(1, bundle=8))[-1] == Rest(IDLE_S)


def test_sales_made_meanwhile_go_in_the_same_round() -> None:
    assert play(begins(2), answer(2, head=5), answer(5)) == [
        Upload(0, 2), Upload(2, 3), Rest(IDLE_S),
    ]  # fmt: skip


def test_what_the_backend_does_not_place_does_not_hold_up_the_rest() -> None:
    """Entry 3 has no place: 501 to 600 are sent all the same, once; then it is told."""
    actions = play(begins(600), answer(2), answer(2))
    assert actions[:2] == [Upload(0, 500), Upload(500, 100)]
    assert isinstance(actions[2], Rest)
    assert actions[2].problem == NOT_PLACED


def test_a_backend_restored_from_a_backup_gets_what_it_lost() -> None:
    assert play(begins(900, 800), answer(300), answer(800), answer(900)) == [
        Upload(800, 100), Upload(300, 500), Upload(800, 100), Rest(IDLE_S),
    ]  # fmt: skip


def test_a_backend_that_loses_everything_every_time_is_not_flooded() -> None:
    actions = play(begins(900, 800), answer(300), answer(300), answer(300))
    assert actions == [Upload(800, 100), Upload(300, 500), Upload(800, 100), actions[3]]
    assert isinstance(actions[3], Rest)
    assert actions[3].problem == NOT_PLACED


def test_trouble_doubles_the_rest_and_success_forgets_it() -> None:
    state, rests = State(), []
    for _ in range(12):
        state, _action = step(state, begins(1))
        state, action = step(state, Trouble("SERVICE_UNREACHABLE", jitter=0.999))
        assert isinstance(action, Rest)
        rests.append(action.seconds)
    assert rests[:4] == pytest.approx([5, 10, 20, 40], rel=0.01)
    assert max(rests) <= BACKOFF_MAX_S
    state, _action = step(state, begins(1))
    state, action = step(state, answer(1))
    assert action == Rest(IDLE_S)
    assert state.failures == 0


def test_tills_do_not_all_come_back_at_once() -> None:
    waits = [play(begins(1), Trouble("X", jitter=jitter))[1] for jitter in (0.0, 0.5, 0.9)]
    seconds = [wait.seconds for wait in waits if isinstance(wait, Rest)]
    assert seconds == pytest.approx([2.5, 3.75, 4.75])


@pytest.mark.parametrize(
    ("asked", "waits"), [(120, 120), (1, BACKOFF_FIRST_S / 2), (10**8, RETRY_AFTER_MAX_S)]
)
def test_a_service_may_ask_to_wait_but_not_for_ever(asked: int, waits: float) -> None:
    trouble = Trouble("SERVICE_BUSY", jitter=0, status=503, retry_after_s=asked)
    assert play(begins(1), trouble)[1] == Rest(waits, "SERVICE_BUSY")


def test_a_wrong_clock_is_corrected_once_and_the_same_is_sent_again() -> None:
    off = Trouble(CLOCK_OFF, jitter=0)
    actions = play(begins(3), off, off)
    assert actions[:2] == [Upload(0, 3), Upload(0, 3)]
    assert isinstance(actions[2], Rest)


def test_batches_that_are_too_large_are_halved() -> None:
    too_large = Trouble("BODY_TOO_LARGE", jitter=0, status=413)
    assert play(begins(500), too_large, too_large, answer(125), answer(375)) == [
        Upload(0, 500), Upload(0, 250), Upload(0, 125), Upload(125, 250), Upload(375, 125),
    ]  # fmt: skip


def test_a_single_entry_that_is_too_large_is_told() -> None:
    trouble = Trouble("BODY_TOO_LARGE", jitter=0, status=413)
    assert play(begins(1), trouble, state=State(batch=1))[1] == Rest(2.5, "BODY_TOO_LARGE")


def test_what_a_person_must_look_at_stops_the_agent() -> None:
    trouble = Trouble("ACKNOWLEDGEMENT_FOREIGN", jitter=0, final=True)
    assert play(begins(1), trouble)[1] == Stop("ACKNOWLEDGEMENT_FOREIGN")


@dataclass
class Backend:
    """Places entries in order; forgets, refuses and fails as it is told."""

    high: int = 0
    unplaceable: frozenset[int] = frozenset()
    received: set[int] = field(default_factory=set)

    def take(self, upload: Upload) -> int:
        for seq in range(upload.after + 1, upload.after + upload.count + 1):
            self.received.add(seq)
            if seq == self.high + 1 and seq not in self.unplaceable:
                self.high = seq
        return self.high


FAULTS = st.sampled_from(["", "", "", "before", "after", CLOCK_OFF, "413"])


@given(
    head=st.integers(0, 3000), known=st.integers(0, 3000), lost=st.integers(0, 3000),
    damaged=st.frozensets(st.integers(1, 3000), max_size=2), beat=st.booleans(),
    faults=st.lists(FAULTS, max_size=12),
)  # fmt: skip
def test_every_round_ends_and_every_entry_is_sent_whatever_happens(
    *, head: int, known: int, lost: int, damaged: frozenset[int], beat: bool, faults: list[str]
) -> None:
    """Against a backend that lost part of what it had, with damaged entries and bad lines."""
    acknowledged = min(known, head)
    backend = Backend(high=max(acknowledged - lost, 0), unplaceable=damaged)
    state, begun = State(), begins(head, acknowledged, beat=beat)
    state, action = step(state, begun)
    clean = 0
    for _ in range(400):
        match action:
            case Upload() as upload:
                assert upload.count <= BATCH_ENTRIES_MAX
                assert upload.after + upload.count <= head + 1
                fault = faults.pop() if faults else ""
                if fault in {"", "after"}:
                    backend.take(upload)
                event: Event = Acknowledged(high=backend.high, bundle=1, head=head)
                if fault:
                    event = Trouble(fault, jitter=0.1, status=413 if fault == "413" else 0)
            case Beat():
                event = Beaten(head)
            case Rest():
                if not faults and clean:
                    break
                clean += not faults
                acknowledged = max(acknowledged, min(backend.high, head))
                event = begins(head, acknowledged, beat=beat)
            case _:
                raise AssertionError(action)
        state, action = step(state, event)
    else:
        raise AssertionError("the agent never rests")
    assert set(range(backend.high + 1, head + 1)) <= backend.received
    assert backend.high == head or any(seq in damaged for seq in range(1, head + 1))


def test_keys_of_a_new_key_set_are_fetched_after_the_bundle_that_names_it() -> None:
    events = (begins(3), answer(3, bundle=2), BundleInstalled(2, keys_due=True), KeysTold())
    assert play(*events) == [Upload(0, 3), FetchBundle(), FetchKeys(), Rest(IDLE_S)]


def test_what_is_not_told_yet_is_told_in_the_next_round() -> None:
    round_begins = RoundBegins(head=3, acknowledged=3, bundle=2, beat_due=False, keys_due=True)
    actions = play(round_begins, answer(3, bundle=2), Trouble("SERVICE_BUSY", 0.0))

    assert actions[1] == FetchKeys()
    assert isinstance(actions[2], Rest)
    assert actions[2].problem == "SERVICE_BUSY"
