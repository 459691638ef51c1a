"""Who may sign what: operator, issuers and terminals, and the purses of the towns.

Keys come from the export itself, so whoever made the export could have made
them up; the report prints them, and ``--key`` compares them with keys that the
auditor got another way.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from backend.verifier.decoder import cbor, cose
from backend.verifier.decoder.cose import AAD_CERTIFICATE, is_sound_key, kid_of
from backend.verifier.decoder.shapes import U24, Layout, flag, misfit, octets, text, uint
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.workbook import Workbook

TRAINING_ISSUER = bytes(3)
PurseKey = tuple[bytes, bytes]
"""Issuer and purse number."""

_CERTIFICATE: Layout = {
    1: uint(U24), 2: octets(32), 3: uint(), 4: text(), 5: text(), 6: uint(), 7: flag,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terminal:
    """A till as the operator certified it; ``start`` is where its journal's chain begins."""

    public: bytes
    merchant: str
    start: bytes
    training: bool


@dataclass(slots=True)
class Registry:
    """Keys and identities of one export."""

    operators: dict[bytes, bytes] = field(default_factory=dict)
    issuers: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    terminals: dict[int, Terminal] = field(default_factory=dict)
    purses: dict[PurseKey, bytes] = field(default_factory=dict)
    merchants: set[str] = field(default_factory=set)
    left_out: frozenset[bytes] = frozenset()
    """Issuers of other municipalities, whose entries the export says are shown as hashes."""


def read_registry(export: Export, book: Workbook, findings: Findings) -> Registry:
    """Reads and checks operator, issuers, merchants, terminals and purses."""
    reading = _Reading(Registry(), book, findings)
    for row in export.rows("operator.jsonl"):
        reading.operator(row)
    for row in export.rows("issuers.jsonl"):
        reading.issuer(row)
    for row in export.rows("merchants.jsonl"):
        if reading.once(row, "merchant", row["merchant"]):
            reading.registry.merchants.add(row["merchant"])
    for row in export.rows("terminals.jsonl"):
        reading.terminal(row)
    for row in export.rows("purses.jsonl"):
        reading.purse(row)
    reading.left_out(export)
    return reading.registry


def expect_keys(registry: Registry, expected: frozenset[bytes], findings: Findings) -> None:
    """Compares operator and issuer keys with those the auditor brought; none: says so."""
    if not expected:
        findings.trust("KEYS_FROM_EXPORT", len(registry.operators) + len(registry.issuers))
        return
    for public in registry.operators.values():
        if public not in expected:
            place = Place("operator.jsonl", document=public.hex())
            findings.add(Law.CHAINED, "KEY_NOT_EXPECTED", place, key=public.hex())
    for (issuer, _), public in registry.issuers.items():
        if public not in expected:
            place = Place("issuers.jsonl", document=issuer.hex())
            findings.add(Law.GRANTED, "KEY_NOT_EXPECTED", place, key=public.hex())


@dataclass(frozen=True, slots=True)
class _Reading:
    registry: Registry
    book: Workbook
    findings: Findings

    def once(self, row: Row, what: str, number: str) -> bool:
        return self.findings.once(self.book, what, number, row.place(f"{what} {number}"))

    def left_out(self, export: Export) -> None:
        """A municipality that is shown is not one that is left out."""
        registry = self.registry
        registry.left_out = frozenset(export.manifest.get("left_out") or ())
        for town in sorted(registry.left_out & {issuer for issuer, _ in registry.issuers}):
            place = Place("manifest.json", document=town.hex())
            self.findings.add(Law.EXPORT, "LEFT_OUT_IS_SHOWN", place, town=town.hex())

    def operator(self, row: Row) -> None:
        public = row["public_key"]
        if not is_sound_key(public) or kid_of(public) != row["kid"]:
            place = row.place(row["kid"].hex())
            self.findings.add(Law.CHAINED, "OPERATOR_KEY_UNSOUND", place)
        elif self.once(row, "operator", row["kid"].hex()):
            self.registry.operators[row["kid"]] = public

    def issuer(self, row: Row) -> None:
        issuer, key_id, public = row["issuer"], row["key_id"], row["public_key"]
        label = f"{issuer.hex()}/{key_id}"
        if not is_sound_key(public):
            self.findings.add(Law.GRANTED, "ISSUER_KEY_UNSOUND", row.place(label))
        elif self.once(row, "issuer", label):
            self.registry.issuers[issuer, key_id] = public

    def terminal(self, row: Row) -> None:
        number = row["terminal"]
        if not self.once(row, "terminal", str(number)):
            return
        training = self._certified(row)
        if training is None:
            place = Place(row.file, row.line, terminal=number)
            self.findings.add(Law.CHAINED, "CERTIFICATE_BAD", place, terminal=number)
        if row["merchant"] not in self.registry.merchants:
            place = Place(row.file, row.line, terminal=number)
            self.findings.add(Law.EXPORT, "MERCHANT_UNKNOWN", place, merchant=row["merchant"])
        start = sha256(row["certificate"]).digest()
        self.registry.terminals[number] = Terminal(
            row["public_key"], row["merchant"], start, bool(training)
        )

    def _certified(self, row: Row) -> bool | None:
        """Whether it is a training terminal; None when the certificate does not hold."""
        try:
            document = cose.take_apart(row["certificate"])
            fields = cbor.loads(document.payload)
        except cbor.NotOneForm:
            return None
        operator = self.registry.operators.get(document.kid)
        holds = (
            operator is not None
            and document.signed_by(operator, AAD_CERTIFICATE)
            and isinstance(fields, dict)
            and misfit(fields, _CERTIFICATE, {}) is None
            and (fields[1], fields[2]) == (row["terminal"], row["public_key"])
            and str(fields[3]) == row["merchant"]
            and is_sound_key(row["public_key"])
        )
        return bool(fields[7]) if holds and isinstance(fields, dict) else None

    def purse(self, row: Row) -> None:
        issuer, purse, core = row["issuer"], row["purse"], row["info_core"]
        label = f"{issuer.hex()}-{purse.hex()}"
        if issuer == TRAINING_ISSUER:
            self.findings.trust("TRAINING_EXCLUDED")
        elif (core[9:12], core[1:9]) != (issuer, purse):
            self.findings.add(Law.GRANTED, "PURSE_CORE_OTHER", row.place(label), purse=label)
        elif self.once(row, "purse", label):
            self.registry.purses[issuer, purse] = core
