"""The image on disk: complete, atomic, and always ahead of the answer."""

import json
import stat
from pathlib import Path

import pytest

from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.masks import CRS_STINCARD, TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness
from simulator.card.store import FileStore, MemoryStore
from simulator.errors import ImageError
from tests.unit.simulator.host import (
    PIN,
    WRONG_PIN,
    Host,
    aes_vectors,
    purse_memory,
    verify,
)

SPEND_5 = bytes.fromhex(aes_vectors()["spend_5"])


def new_card(path: Path) -> VirtualCard:
    FileStore(path).save(image.encode(purse_memory()))
    return VirtualCard.load(path, SeededRandomness("image"))


def test_an_image_is_read_back_as_it_was() -> None:
    crs = make_card(CRS_STINCARD, SeededRandomness(5), Holder(), TRAINING_TRANSPORT_KEYS)
    for memory in (crs, purse_memory()):
        assert image.decode(image.encode(memory)) == memory


def test_what_was_answered_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    host = Host(new_card(path))
    host.open_purse()
    host.expect(host.spend(SPEND_5))
    again = Host(VirtualCard.load(path, SeededRandomness("again")))
    again.open_purse()
    assert SPEND_5 in again.expect("0CB2011C42")


def test_a_command_that_changes_nothing_saves_nothing() -> None:
    store = MemoryStore()
    host = Host(VirtualCard(purse_memory(), SeededRandomness("image"), store))
    host.select_purse()
    host.exchange_randoms()
    host.expect("0CB2011C42")
    host.send("0020009C")
    assert store.saves == 0


class FullDisk(MemoryStore):
    """Saves until told that the disk is full."""

    full = False

    def save(self, saved: bytes) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().save(saved)


def test_a_write_that_cannot_be_saved_is_not_answered_and_did_not_happen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = FullDisk()
    host = Host(VirtualCard(purse_memory(), SeededRandomness("image"), store))
    host.open_purse()
    store.full = True
    assert host.status(host.spend(SPEND_5)) == "6F00"
    store.full = False
    host.open_purse()
    assert SPEND_5 not in host.expect("0CB2011C42")
    host.expect(host.spend(SPEND_5))


def test_a_try_that_cannot_be_saved_is_not_made(caplog: pytest.LogCaptureFixture) -> None:
    store = FullDisk()
    host = Host(VirtualCard(purse_memory(), SeededRandomness("image"), store))
    host.select_purse()
    store.full = True
    assert host.status(verify(PIN)) == "6F00"
    store.full = False
    host.select_purse()
    host.exchange_randoms()
    assert host.status(host.spend(SPEND_5)) == "6982"


def test_a_fault_inside_names_the_command_and_never_the_pin(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = FullDisk()
    host = Host(VirtualCard(purse_memory(), SeededRandomness("image"), store))
    host.select_purse()
    store.full = True
    host.send(verify("76543"))
    assert "0020009c" in caplog.text
    assert b"76543".hex() not in caplog.text
    assert "76543" not in caplog.text


def test_an_image_is_only_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    host = Host(new_card(path))
    host.select_purse()
    host.send(verify(WRONG_PIN))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["card.json"]


def test_a_torn_save_leaves_the_old_image(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    new_card(path)
    path.with_name("card.json.new").write_bytes(b"{half an im")
    host = Host(VirtualCard.load(path, SeededRandomness("image")))
    host.open_purse()
    host.expect(host.spend(SPEND_5))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda fields: fields.update(version=2), "CARD_IMAGE_VERSION"),
        (lambda fields: fields.update(format="other"), "CARD_IMAGE_UNREADABLE"),
        (lambda fields: fields.pop("mf"), "CARD_IMAGE_UNREADABLE"),
        (lambda fields: fields["mf"].update(life="asleep"), "CARD_IMAGE_UNREADABLE"),
        (lambda fields: fields["mf"]["files"][0].update(records=["00"]), "CARD_IMAGE_UNREADABLE"),
        (lambda fields: fields["mf"]["files"][0].update(records=["zz"]), "CARD_IMAGE_UNREADABLE"),
        (lambda fields: fields["mf"].update(files=None), "CARD_IMAGE_UNREADABLE"),
    ],
)
def test_an_image_that_is_none_is_named(damage, code: str) -> None:  # type: ignore[no-untyped-def]
    fields = json.loads(image.encode(purse_memory()))
    damage(fields)
    with pytest.raises(ImageError) as caught:
        image.decode(json.dumps(fields).encode())
    assert caught.value.code == code


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"null", b"\xff\xfe"])
def test_other_files_are_no_images(text: bytes) -> None:
    with pytest.raises(ImageError):
        image.decode(text)


def test_a_card_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        VirtualCard.load(tmp_path / "none.json", SeededRandomness("image"))
    assert "none.json" in str(caught.value.facts["why"])
