"""Payment orders for the bank: ISO 20022 ``pain.001.001.09``, SEPA credit transfers in EUR.

Deterministic: the same payments give the same bytes, and the message id is derived
from their end-to-end ids, so that a bank recognises a file that reaches it twice.
Texts are put into the SEPA character set (EPC217-08): accents are dropped, what has
no counterpart becomes a dot.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from backend.domain.iban import checked_iban
from backend.errors import BadInputError
from cardlib.calendar import local_time
from cardlib.wire.money import EUR

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
CENTS_MAX = 99_999_999_999
"""The largest SEPA amount: 999,999,999.99 EUR."""
_NAME_MAX, _REMITTANCE_MAX, _ID_MAX = 70, 140, 35
_OUTSIDE_SEPA = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_SPELLED = str.maketrans({"&": "+", "’": "'", "ß": "ss", "ø": "o", "Ø": "O", "đ": "d", "ł": "l"})


@dataclass(frozen=True, slots=True)
class Debtor:
    """Who pays: the municipality, and its account at the treasurer; ``bic`` may be empty."""

    name: str
    iban: str
    bic: str = ""


@dataclass(frozen=True, slots=True)
class CreditTransfer:
    """One payment to a merchant."""

    end_to_end_id: str
    name: str
    iban: str
    cents: int
    remittance: str


def payment_order(debtor: Debtor, transfers: list[CreditTransfer], ordered_at: int) -> bytes:
    """The file; ``ordered_at`` in Unix seconds is its creation time and execution date.

    BadInputError for an IBAN, BIC, amount or name that no bank would take.
    """
    root = Element("Document", xmlns=NAMESPACE)
    initiation = SubElement(root, "CstmrCdtTrfInitn")
    reference = message_id(debtor, transfers)
    initiation.append(_group_header(debtor, transfers, reference, ordered_at))
    initiation.append(_payment_information(debtor, transfers, reference, ordered_at))
    indent(root)
    return bytes(tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


def sepa_text(text: str, length: int) -> str:
    """``text`` in the SEPA character set; BadInputError ``TEXT_NOT_SEPA`` when nothing is left."""
    plain = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = _OUTSIDE_SEPA.sub(".", " ".join(plain.split()))
    plain = re.sub(r"/{2,}", "/", plain).strip("/")[:length].strip(" /")
    if not re.search(r"[A-Za-z0-9]", plain):
        raise BadInputError("TEXT_NOT_SEPA", text=text)
    return plain


def message_id(debtor: Debtor, transfers: list[CreditTransfer]) -> str:
    """The order's own id: the same payments from the same account have the same one."""
    rows = (f"{item.end_to_end_id}:{item.iban}:{item.cents}" for item in transfers)
    digest = sha256("\n".join([debtor.iban, *rows]).encode()).hexdigest()
    return f"BORSELLINO-{digest[:24].upper()}"


def _group_header(
    debtor: Debtor, transfers: list[CreditTransfer], reference: str, ordered_at: int
) -> Element:
    header = Element("GrpHdr")
    _text(header, "MsgId", reference)
    _text(header, "CreDtTm", local_time(ordered_at).isoformat(timespec="seconds"))
    _sums(header, transfers)
    _text(SubElement(header, "InitgPty"), "Nm", sepa_text(debtor.name, _NAME_MAX))
    return header


def _payment_information(
    debtor: Debtor, transfers: list[CreditTransfer], reference: str, ordered_at: int
) -> Element:
    block = Element("PmtInf")
    _text(block, "PmtInfId", f"{reference[: _ID_MAX - 2]}-1")
    _text(block, "PmtMtd", "TRF")
    _sums(block, transfers)
    _text(_path(block, "PmtTpInf", "SvcLvl"), "Cd", "SEPA")
    _text(_path(block, "ReqdExctnDt"), "Dt", local_time(ordered_at).date().isoformat())
    _text(_path(block, "Dbtr"), "Nm", sepa_text(debtor.name, _NAME_MAX))
    _text(_path(block, "DbtrAcct", "Id"), "IBAN", checked_iban(debtor.iban))
    _debtor_agent(block, debtor.bic)
    _text(block, "ChrgBr", "SLEV")
    block.extend(list(_transactions(transfers)))
    return block


def _debtor_agent(block: Element, bic: str) -> None:
    institution = _path(block, "DbtrAgt", "FinInstnId")
    if not bic:
        _text(SubElement(institution, "Othr"), "Id", "NOTPROVIDED")  # as EPC132-08 asks
    elif _BIC.fullmatch(bic):
        _text(institution, "BICFI", bic)
    else:
        raise BadInputError("BIC_BAD", bic=bic)


def _transactions(transfers: list[CreditTransfer]) -> Iterator[Element]:
    for item in transfers:
        block = Element("CdtTrfTxInf")
        _text(_path(block, "PmtId"), "EndToEndId", _checked_id(item.end_to_end_id))
        amount = _text(_path(block, "Amt"), "InstdAmt", _amount(_checked_cents(item.cents)))
        amount.set("Ccy", EUR)
        _text(_path(block, "Cdtr"), "Nm", sepa_text(item.name, _NAME_MAX))
        _text(_path(block, "CdtrAcct", "Id"), "IBAN", checked_iban(item.iban))
        _text(_path(block, "RmtInf"), "Ustrd", sepa_text(item.remittance, _REMITTANCE_MAX))
        yield block


def _sums(parent: Element, transfers: list[CreditTransfer]) -> None:
    _text(parent, "NbOfTxs", str(len(transfers)))
    _text(parent, "CtrlSum", _amount(sum(item.cents for item in transfers)))


def _checked_id(text: str) -> str:
    if not 1 <= len(text) <= _ID_MAX or sepa_text(text, _ID_MAX) != text:
        raise BadInputError("PAYMENT_ID_BAD", id=text)
    return text


def _checked_cents(cents: int) -> int:
    if not 0 < cents <= CENTS_MAX:
        raise BadInputError("PAYMENT_AMOUNT_BAD", cents=cents)
    return cents


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _path(parent: Element, *names: str) -> Element:
    for name in names:
        parent = SubElement(parent, name)
    return parent


def _text(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, name)
    element.text = text
    return element
