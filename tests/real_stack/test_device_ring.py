"""The device ring proves itself on the virtual reader, named like any other."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence

import pytest

from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import TRAINING_TRANSPORT_KEYS, WHITE, make_card
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness
from simulator.private_pcscd import PrivatePcscd
from simulator.training import TrainingWallet, add_training_purse
from tests.architecture.repository import ROOT
from tests.real_stack.pcscd import Insert
from tests.unit.simulator.host import purse_memory

pytestmark = pytest.mark.pcsc


def ring(*arguments: str) -> dict[str, int]:
    """Runs it as a person would; how many passed, were skipped, failed."""
    command: Sequence[str] = (
        sys.executable, "-m", "pytest", "tests/device", "-q", "-p", "no:cacheprovider", *arguments
    )  # fmt: skip
    told = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last(told.stdout))}
    assert not counts.keys() & {"failed", "error", "errors"}, told.stdout
    assert told.returncode == 0, told.stdout + told.stderr
    return counts


def last(report: str) -> str:
    return report.strip().splitlines()[-1]


def training_memory() -> Memory:
    memory = make_card(WHITE, SeededRandomness("ring"), Holder(), TRAINING_TRANSPORT_KEYS)
    add_training_purse(memory, [TrainingWallet(10_00)], SeededRandomness("ring purse"))
    return memory


def test_the_whole_ring_runs_on_a_training_card(insert: Insert, pcscd: PrivatePcscd) -> None:
    insert(VirtualCard(training_memory(), SeededRandomness("ring")))
    counts = ring("--reader", pcscd.reader_name(0), "--write-training-card")
    assert counts["passed"] == 4
    assert "skipped" not in counts


def test_a_card_with_somebodys_money_is_only_read(insert: Insert, pcscd: PrivatePcscd) -> None:
    memory = purse_memory()
    before = image.encode(memory)
    insert(VirtualCard(memory, SeededRandomness("live")))
    counts = ring("--reader", pcscd.reader_name(0), "--write-training-card")
    assert (counts["passed"], counts["skipped"]) == (3, 1)
    assert image.encode(memory) == before


def test_without_a_reader_named_nothing_is_touched_and_nothing_fails() -> None:
    assert ring().keys() == {"skipped"}
