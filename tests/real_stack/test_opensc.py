"""OpenSC, unmodified, reads the virtual CRS and signs with it through the real pcscd."""

import subprocess
from pathlib import Path

import pytest

from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import (
    CNS_PIN,
    CNS_PUK,
    CRS_STINCARD,
    TRAINING_TRANSPORT_KEYS,
    WHITE,
    make_card,
)
from simulator.card.personal import Holder
from simulator.card.purses import add_purse
from simulator.card.randomness import SeededRandomness
from tests.real_stack.pcscd import Insert, Tool
from tests.unit.simulator.host import PIN, PUK, aes_vectors, purse_keys

pytestmark = pytest.mark.pcsc


def crs_memory() -> Memory:
    return make_card(CRS_STINCARD, SeededRandomness("opensc"), Holder(), TRAINING_TRANSPORT_KEYS)


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


@pytest.fixture(params=["without purse", "with purse"])
def crs(request: pytest.FixtureRequest, insert: Insert) -> Memory:
    """A CRS in the reader; a purse on it must make no difference to OpenSC."""
    memory = crs_memory()
    if request.param == "with purse":
        with_purse(memory)
    insert(VirtualCard(memory, SeededRandomness("opensc")))
    return memory


def output(done: subprocess.CompletedProcess[bytes]) -> str:
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode()


def public_key(tool: Tool, directory: Path) -> Path:
    """The key of the certificate on the card, as OpenSC reads it."""
    certificate, key = directory / "certificate.pem", directory / "public.pem"
    certificate.write_bytes(tool("pkcs15-tool", "--read-certificate", "01").stdout)
    output(tool("openssl", "x509", "-in", certificate, "-pubkey", "-noout", "-out", key))
    return key


def test_card_is_recognised_by_name_and_serial(crs: Memory, tool: Tool) -> None:
    assert output(tool("opensc-tool", "--name")).strip() == "CNS card"
    assert output(tool("opensc-tool", "--serial")).split()[-1] == crs.serial


def test_dump_shows_holder_mask_and_key(crs: Memory, tool: Tool) -> None:
    dump = output(tool("pkcs15-tool", "--dump"))
    assert "PKCS#15 Card [MARIA ROSSI]" in dump
    assert "IC: STMicroelectronics; mask: STIncard" in dump
    assert "Private RSA Key [CNS0]" in dump
    assert f"Serial number  : {crs.serial}" in dump


def test_certificate_names_the_holder_and_the_card(crs: Memory, tool: Tool, tmp_path: Path) -> None:
    pem = tool("pkcs15-tool", "--read-certificate", "01").stdout
    subject = output(tool("openssl", "x509", "-noout", "-subject", stdin=pem))
    assert f"{Holder().codice_fiscale}/{crs.serial}." in subject


def test_personal_data_is_read_as_it_is(crs: Memory, tool: Tool) -> None:
    done = tool("pkcs15-tool", "--read-data-object", "EF_DatiPersonali", "--raw")
    assert done.stdout.startswith(Holder().personal_data())


def test_pin_is_verified_and_a_wrong_one_is_called_incorrect(crs: Memory, tool: Tool) -> None:
    output(tool("pkcs15-tool", "--verify-pin", "--pin", CNS_PIN))
    wrong = tool("pkcs15-tool", "--verify-pin", "--pin", "99999")
    assert wrong.returncode != 0
    assert b"PIN code or key incorrect" in wrong.stderr


def test_pin_is_changed_and_unblocked(crs: Memory, tool: Tool) -> None:
    output(tool("pkcs15-tool", "--change-pin", "--pin", CNS_PIN, "--new-pin", "54321"))
    output(tool("pkcs15-tool", "--verify-pin", "--pin", "54321"))
    for _ in range(3):
        tool("pkcs15-tool", "--verify-pin", "--pin", "99999")
    assert tool("pkcs15-tool", "--verify-pin", "--pin", "54321").returncode != 0
    output(tool("pkcs15-tool", "--unblock-pin", "--puk", CNS_PUK, "--new-pin", CNS_PIN))
    output(tool("pkcs15-tool", "--verify-pin", "--pin", CNS_PIN))


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_signature_by_pkcs15_crypt_is_good(
    crs: Memory, tool: Tool, tmp_path: Path, digest: str
) -> None:
    text, hashed, signed = (tmp_path / name for name in ("text", "hash", "signature"))
    text.write_bytes(b"buono spesa")
    output(tool("openssl", "dgst", f"-{digest}", "-binary", "-out", hashed, text))
    hash_option = {"sha1": "--sha-1", "sha256": "--sha-256"}[digest]
    output(
        tool(
            *("pkcs15-crypt", "--sign", "--key", "01", hash_option, "--pkcs1", "--raw"),
            *("--pin", CNS_PIN, "--input", hashed, "--output", signed),
        )
    )
    key = public_key(tool, tmp_path)
    checked = tool("openssl", "dgst", f"-{digest}", "-verify", key, "-signature", signed, text)
    assert output(checked).strip() == "Verified OK"


def test_signature_by_pkcs11_is_good(crs: Memory, tool: Tool, tmp_path: Path) -> None:
    text, signed = tmp_path / "text", tmp_path / "signature"
    text.write_bytes(b"buono spesa")
    output(
        tool(
            *("pkcs11-tool", "--login", "--pin", CNS_PIN, "--sign"),
            *("--mechanism", "SHA256-RSA-PKCS"),
            *("--input-file", text, "--output-file", signed),
        )
    )
    key = public_key(tool, tmp_path)
    checked = tool("openssl", "dgst", "-sha256", "-verify", key, "-signature", signed, text)
    assert output(checked).strip() == "Verified OK"


def test_without_the_pin_nothing_is_signed(crs: Memory, tool: Tool, tmp_path: Path) -> None:
    hashed = tmp_path / "hash"
    hashed.write_bytes(bytes(20))
    done = tool(
        *("pkcs15-crypt", "--sign", "--key", "01", "--sha-1", "--pkcs1"),
        *("--pin", "99999", "--input", hashed, "--output", tmp_path / "signature"),
    )
    assert done.returncode != 0


def test_white_card_is_not_taken_for_a_cns_card(insert: Insert, tool: Tool) -> None:
    memory = make_card(WHITE, SeededRandomness("opensc"), Holder(), TRAINING_TRANSPORT_KEYS)
    insert(VirtualCard(memory, SeededRandomness("opensc")))
    assert b"CNS card" not in tool("opensc-tool", "--name").stdout


def test_a_crs_and_a_white_card_are_read_side_by_side(insert: Insert, tool: Tool) -> None:
    white = make_card(WHITE, SeededRandomness("opensc"), Holder(), TRAINING_TRANSPORT_KEYS)
    insert(VirtualCard(white, SeededRandomness("opensc")), slot=0)
    insert(VirtualCard(crs_memory(), SeededRandomness("opensc")), slot=1)
    assert output(tool("opensc-tool", "--reader", "1", "--name")).strip() == "CNS card"
