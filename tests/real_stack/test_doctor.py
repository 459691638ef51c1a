"""The doctor on the real daemon: service, readers, cards in and out, a reader held by others."""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cardlib import pcsc
from simulator.card.card import VirtualCard
from simulator.card.masks import CRS_STINCARD, TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.faults import Mute, every
from simulator.private_pcscd import PrivatePcscd
from tests.real_stack.pcscd import Insert
from tests.unit.simulator.host import purse_memory

pytestmark = pytest.mark.pcsc

DOCTOR = "from typer import run; from terminal.doctor import doctor; run(doctor)"


def examined(*arguments: str, **environment: str) -> dict[str, Any]:
    """What the command says, by check; ``exit`` is its status."""
    told = subprocess.run(
        [sys.executable, "-c", DOCTOR, "--json", "--lang", "en", *arguments],
        env={**os.environ, **environment}, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert told.stdout, told.stderr.decode()
    found = {item["check"]: item for item in json.loads(told.stdout)["findings"]}
    return found | {"exit": told.returncode}


def test_a_card_in_the_reader_and_everything_in_order(insert: Insert) -> None:
    insert(VirtualCard(purse_memory(), SeededRandomness("doctor")))
    found = examined()
    assert found["exit"] == 0
    assert found["service"]["detail"].startswith("4."), "the version of pcscd's protocol"
    assert "Virtual PCD 00 00" in found["reader"]["detail"]
    assert ", T=1" in found["atr"]["detail"]
    assert found["purses"]["detail"].startswith("B001 ")
    assert found["pin_pad"]["detail"] == "no"


def test_an_empty_reader_and_a_wrong_name(pcscd: PrivatePcscd) -> None:
    found = examined("--reader", pcscd.reader_name(1))
    assert (found["card"]["code"], found["exit"]) == ("CARD_MISSING", 1)
    assert examined("--reader", "no such reader")["reader"]["code"] == "READER_MISSING"


def test_a_crs_without_a_purse(insert: Insert) -> None:
    memory = make_card(CRS_STINCARD, SeededRandomness("crs"), Holder(), TRAINING_TRANSPORT_KEYS)
    insert(VirtualCard(memory, SeededRandomness("crs")))
    found = examined()
    assert "CNS 1.0, STIncard" in found["atr"]["detail"]
    assert found["purses"]["code"] == "PURSE_MISSING"


class Garbled(InProcessConnection):
    """Upside down, or not a smart card at all."""

    atr = bytes.fromhex("FFFF00")


def test_an_answer_to_reset_that_is_none(insert: Insert) -> None:
    insert(Garbled(VirtualCard(purse_memory(), SeededRandomness("garbled"))))
    assert examined()["card"]["code"] == "CARD_PROTOCOL"


def test_a_card_that_answers_its_reset_and_then_nothing(insert: Insert) -> None:
    card = VirtualCard(purse_memory(), SeededRandomness("mute"))
    insert(Mute(InProcessConnection(card), every(0xA4)))
    found = examined()
    assert found["atr"]["ok"]
    assert found["card"]["code"] == "CARD_MUTE"


def test_no_daemon_behind_the_socket(tmp_path: Path) -> None:
    found = examined(PCSCLITE_CSOCK_NAME=str(tmp_path / "none"))
    assert found["service"]["code"] == "PCSC_MISSING"
    assert "systemctl start pcscd" in found["service"]["mend"]
    assert "card" not in found
    assert found["clock"]["ok"], "what needs no card is looked at all the same"


@contextmanager
def held(reader: str) -> Iterator[int]:
    """Another program that holds the reader in a transaction; its process number."""
    ready, go = multiprocessing.get_context("spawn").Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_hold, args=(reader, go), daemon=True)
    process.start()
    assert process.pid is not None
    assert ready.recv() == "held"
    try:
        yield process.pid
    finally:
        ready.send("enough")
        process.join(10)


def _hold(reader: str, link: Any) -> None:
    connection = pcsc.connect(reader)
    link.send("held")
    link.recv()
    connection.close()


def test_a_reader_held_by_another_program_is_named_with_its_process(
    insert: Insert, pcscd: PrivatePcscd
) -> None:
    insert(VirtualCard(purse_memory(), SeededRandomness("held")))
    with held(pcscd.reader_name(0)) as process:
        card = examined("--reader", pcscd.reader_name(0))["card"]
    assert card["code"] == "READER_BUSY"
    assert str(process) in card["detail"]
    assert card["mend"]
