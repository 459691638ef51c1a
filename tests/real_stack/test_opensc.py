"""OpenSC, unmodified, reads every virtual CNS card and signs with it through the real pcscd.

One walk over all that a holder does, on each mask that speaks T=1; OpenSC's driver before
0.24 binds no T=0 card, so the fictitious T=0 mask is read command by command.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from cardlib.codec.atr import Atr, TransmissionProtocol
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import (
    CNS_PIN,
    CNS_PUK,
    CRS_STINCARD,
    GENERIC_T0,
    MASKS,
    TRAINING_TRANSPORT_KEYS,
    WHITE,
    make_card,
    mask_named,
)
from simulator.card.personal import Holder
from simulator.card.purses import add_purse
from simulator.card.randomness import SeededRandomness
from simulator.card.services import SERVICES_MEMORY
from tests.real_stack.pcscd import Insert, Tool
from tests.unit.simulator.host import PIN, PUK, aes_vectors, purse_keys

pytestmark = pytest.mark.pcsc

T1_MASKS = [
    name
    for name, mask in MASKS.items()
    if mask.traits.cns and mask.traits.protocol is TransmissionProtocol.T1
]
MAKERS = {
    0x0209: "IC: STMicroelectronics; mask: STIncard",
    0x0508: "IC: Infineon; mask: Siemens",
    0x150C: "IC: ATMEL; mask: Athena",
    0x040C: "IC: NXP Semiconductors; mask: Athena",
    0x0405: "IC: NXP Semiconductors; mask: Oberthur Card Systems",
    0x0505: "IC: Infineon; mask: Oberthur Card Systems",
}
"""How OpenSC reads the historical bytes H2 and H3."""
PURSE_MEMORY = 2_145
"""Bytes, as the card profile says."""
OTHER_PIN, WRONG_PIN = "54321", "99999"


@cache
def factory_image(mask: str) -> bytes:
    """Keys of 2048 bits take a while: one card a mask."""
    made = make_card(mask, SeededRandomness("opensc"), Holder(), TRAINING_TRANSPORT_KEYS)
    return image.encode(made)


def card_memory(mask: str) -> Memory:
    return image.decode(factory_image(mask))


def crs_memory() -> Memory:
    return card_memory(CRS_STINCARD)


def with_purse(memory: Memory) -> Memory:
    suite = aes_vectors()
    add_purse(
        memory,
        info=bytes.fromhex(suite["info"]),
        keys=purse_keys(),
        pin=PIN,
        puk=PUK,
        spends=[bytes.fromhex(suite["spend_4"])],
        grants={1: bytes.fromhex(suite["grant_record"])},
    )
    return memory


@pytest.fixture
def crs(insert: Insert) -> Memory:
    """A CRS with a purse in the reader."""
    memory = with_purse(crs_memory())
    insert(VirtualCard(memory, SeededRandomness("opensc")))
    return memory


def output(done: subprocess.CompletedProcess[bytes]) -> str:
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode()


@dataclass(frozen=True)
class Holding:
    """A card in the reader, in the hands of somebody with OpenSC's tools."""

    tool: Tool
    memory: Memory
    directory: Path

    def pin_is(self, pin: str) -> bool:
        """Whether the card takes it; OpenSC says why not."""
        done = self.tool("pkcs15-tool", "--verify-pin", "--pin", pin)
        return done.returncode == 0

    def public_key(self) -> Path:
        """The key of the certificate on the card, as OpenSC reads it."""
        certificate, key = self.directory / "certificate.pem", self.directory / "public.pem"
        certificate.write_bytes(self.tool("pkcs15-tool", "--read-certificate", "01").stdout)
        output(self.tool("openssl", "x509", "-in", certificate, "-pubkey", "-noout", "-out", key))
        return key

    def verified(self, digest: str, signature: Path, text: Path) -> bool:
        """Whether openssl takes the signature for the card's."""
        key = self.public_key()
        checked = self.tool(
            "openssl", "dgst", f"-{digest}", "-verify", key, "-signature", signature, text
        )
        return output(checked).strip() == "Verified OK"

    def text(self) -> Path:
        """Something to sign."""
        path = self.directory / "text"
        path.write_bytes(b"buono spesa")
        return path

    def sign(self, digest: str, pin: str) -> Path:
        """A signature by pkcs15-crypt; the file is missing when the card refused."""
        text, hashed = self.text(), self.directory / "hash"
        signed = self.directory / f"{digest}.signature"
        output(self.tool("openssl", "dgst", f"-{digest}", "-binary", "-out", hashed, text))
        hash_option = {"sha1": "--sha-1", "sha256": "--sha-256"}[digest]
        self.tool(
            *("pkcs15-crypt", "--sign", "--key", "01", hash_option, "--pkcs1", "--raw"),
            *("--pin", pin, "--input", hashed, "--output", signed),
        )
        return signed


def recognised(held: Holding) -> None:
    assert output(held.tool("opensc-tool", "--name")).strip() == "CNS card"
    assert output(held.tool("opensc-tool", "--serial")).split()[-1] == held.memory.serial


def dumped(held: Holding) -> None:
    dump = output(held.tool("pkcs15-tool", "--dump"))
    mask = mask_named(held.memory.mask)
    makers = int.from_bytes(Atr.decode(mask.atr).historical[2:4], "big")
    assert "PKCS#15 Card [MARIA ROSSI]" in dump
    assert MAKERS[makers] in dump
    assert "Private RSA Key [CNS0]" in dump
    assert mask.traits.cns is not None
    assert f"ModLength      : {mask.traits.cns.rsa_bits}" in dump
    assert f"Serial number  : {held.memory.serial}" in dump


def data_is_read(held: Holding) -> None:
    done = held.tool("pkcs15-tool", "--read-data-object", "EF_DatiPersonali", "--raw")
    directory = held.memory.find((0x1100,))
    assert directory is not None
    file = directory.file(0x1102)
    assert file is not None
    assert done.stdout == file.content


def certificate_is_read(held: Holding) -> None:
    pem = held.tool("pkcs15-tool", "--read-certificate", "01").stdout
    subject = output(held.tool("openssl", "x509", "-noout", "-subject", stdin=pem))
    assert f"{Holder().codice_fiscale}/{held.memory.serial}." in subject


def pin_is_used_and_changed(held: Holding) -> None:
    assert held.pin_is(CNS_PIN)
    wrong = held.tool("pkcs15-tool", "--verify-pin", "--pin", WRONG_PIN)
    assert wrong.returncode != 0
    assert b"PIN code or key incorrect" in wrong.stderr
    output(held.tool("pkcs15-tool", "--change-pin", "--pin", CNS_PIN, "--new-pin", OTHER_PIN))
    assert held.pin_is(OTHER_PIN)


def pin_is_blocked_and_unblocked(held: Holding) -> None:
    """Three wrong ones block it, also for the right one; the PUK sets the first one again."""
    for _ in range(3):
        assert not held.pin_is(WRONG_PIN)
    assert not held.pin_is(OTHER_PIN)
    output(held.tool("pkcs15-tool", "--unblock-pin", "--puk", CNS_PUK, "--new-pin", CNS_PIN))
    assert held.pin_is(CNS_PIN)


def signature_is_good(held: Holding) -> None:
    assert held.verified("sha256", held.sign("sha256", CNS_PIN), held.text())


WALK: tuple[Callable[[Holding], None], ...] = (
    recognised,
    dumped,
    data_is_read,
    certificate_is_read,
    pin_is_used_and_changed,
    pin_is_blocked_and_unblocked,
    signature_is_good,
)


@pytest.mark.parametrize("mask", T1_MASKS)
def test_opensc_believes_the_card_of_every_mask(
    mask: str, insert: Insert, tool: Tool, tmp_path: Path
) -> None:
    memory = card_memory(mask)
    insert(VirtualCard(memory, SeededRandomness("opensc")))
    for step in WALK:
        step(Holding(tool, memory, tmp_path))


def test_a_purse_on_the_card_makes_no_difference(
    insert: Insert, tool: Tool, tmp_path: Path
) -> None:
    memory = with_purse(crs_memory())
    insert(VirtualCard(memory, SeededRandomness("opensc")))
    for step in WALK:
        step(Holding(tool, memory, tmp_path))


@pytest.mark.usefixtures("crs")
def test_free_memory_and_services_tell_of_the_purse(tool: Tool) -> None:
    free = tool("pkcs15-tool", "--read-data-object", "EF_MemoriaResidua", "--raw").stdout
    services = tool("pkcs15-tool", "--read-data-object", "EF_ServiziInstallati", "--raw").stdout
    assert SERVICES_MEMORY - int.from_bytes(free, "big") == PURSE_MEMORY
    assert services.startswith(bytes.fromhex("62078302B0018A0105"))


def test_the_explorer_lists_a_siemens_card_with_its_purse(insert: Insert, tool: Tool) -> None:
    memory = with_purse(card_memory("crs-siemens-c805"))
    insert(VirtualCard(memory, SeededRandomness("opensc")))
    listed = output(tool("opensc-explorer", stdin=b"ls\ncd 1200\nls\nquit\n"))
    for name in ("[1100]", "2F02", "1202", "[B001]"):
        assert name in listed


def test_a_sha1_signature_by_pkcs15_crypt_is_good(crs: Memory, tool: Tool, tmp_path: Path) -> None:
    held = Holding(tool, crs, tmp_path)
    assert held.verified("sha1", held.sign("sha1", CNS_PIN), held.text())


def test_signature_by_pkcs11_is_good(crs: Memory, tool: Tool, tmp_path: Path) -> None:
    held, signed = Holding(tool, crs, tmp_path), tmp_path / "signature"
    output(
        tool(
            *("pkcs11-tool", "--login", "--pin", CNS_PIN, "--sign"),
            *("--mechanism", "SHA256-RSA-PKCS"),
            *("--input-file", held.text(), "--output-file", signed),
        )
    )
    assert held.verified("sha256", signed, held.text())


def test_without_the_pin_nothing_is_signed(crs: Memory, tool: Tool, tmp_path: Path) -> None:
    held = Holding(tool, crs, tmp_path)
    signed = held.sign("sha256", WRONG_PIN)
    assert not signed.exists() or not signed.read_bytes()


def test_the_fictitious_t0_card_is_read_command_by_command(insert: Insert, tool: Tool) -> None:
    """OpenSC 0.23 looks for T=1 in TD1 before it calls a card CNS; plain commands go through.

    ``opensc-tool`` itself drops Le, fetches what 61xx announces and repeats after 6Cxx.
    """
    memory = card_memory(GENERIC_T0)
    insert(VirtualCard(memory, SeededRandomness("opensc")))
    assert "CNS card" not in output(tool("opensc-tool", "--name"))
    said = output(
        tool("opensc-tool", "-s", "00A408000410001003FF", "-s", "00B00000FF", "-s", "0084000008")
    )
    assert said.count("SW1=0x90, SW2=0x00") == 3
    assert "6F 19 80 02 00 10" in said
    assert " ".join(f"{ord(digit):02X}" for digit in memory.serial) in said


def test_white_card_is_not_taken_for_a_cns_card(insert: Insert, tool: Tool) -> None:
    insert(VirtualCard(card_memory(WHITE), SeededRandomness("opensc")))
    assert b"CNS card" not in tool("opensc-tool", "--name").stdout


def test_a_crs_and_a_white_card_are_read_side_by_side(insert: Insert, tool: Tool) -> None:
    insert(VirtualCard(card_memory(WHITE), SeededRandomness("opensc")), slot=0)
    insert(VirtualCard(crs_memory(), SeededRandomness("opensc")), slot=1)
    assert output(tool("opensc-tool", "--reader", "1", "--name")).strip() == "CNS card"
