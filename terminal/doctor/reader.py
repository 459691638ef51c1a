"""The reader and the card in it: what answers, what it is, and what it can do."""

from collections.abc import Iterator

from cardlib import pcsc
from cardlib.channel import Channel
from cardlib.codec.atr import Atr
from cardlib.codec.pin_pad import PadProperties
from cardlib.connection import CardConnection
from cardlib.connections import open_connection
from cardlib.dialogues.inspect import CardSummary, inspect_card
from cardlib.errors import CardGoneError, CardlibError, CardSilentError, MalformedError
from cardlib.pcsc.names import meant
from cardlib.pin_pad import ask_reader
from terminal.doctor.culprits import culprits
from terminal.doctor.findings import Finding, found, lacking
from terminal.doctor.service import not_permitted

_MASK_MAKERS = {
    0x01: "Kaitech", 0x02: "Gemplus", 0x03: "Ghirlanda", 0x04: "G&D", 0x05: "Idemia",
    0x06: "Orga", 0x07: "Axalto", 0x08: "Siemens", 0x09: "STIncard", 0x0A: "GEP", 0x0B: "EPS",
    0x0C: "Athena", 0x0D: "Gemalto",
}  # fmt: skip
"""Third historical byte of a CNS card. Source: OpenSC, pkcs15-itacns."""
_SHORT_APDU = 261
MUTE = CardSilentError.default_code
"""Also a card that answered its reset, and then nothing: whoever looks here put it in."""


def reader(name: str | None) -> Finding:
    """Whether there is a reader of that name."""
    names = meant(pcsc.readers(), name or "")
    if not names:
        return lacking("reader", "READER_MISSING", name or "")
    return found("reader", ", ".join(names))


def card(name: str | None, image: str | None) -> Iterator[Finding]:
    """Card, directories, keypad and lengths; ends with the first that keeps us out."""
    try:
        connection = open_connection(reader=name, image=image)
    except CardlibError as error:
        yield _kept_out(error)
        return
    try:
        yield from _inside(connection, in_reader=image is None)
    finally:
        connection.close()


def _kept_out(error: CardlibError) -> Finding:
    if error.code == "PCSC_NOT_PERMITTED":
        return not_permitted("card")
    if error.code == "READER_BUSY":
        others = culprits()
        names = ", ".join(map(str, others))
        first = others[0].command if others else "pcsc_scan -r"
        return lacking("card", error.code, names, command=first)
    return lacking("card", error.code, **error.facts)


def _inside(connection: CardConnection, *, in_reader: bool) -> Iterator[Finding]:
    yield _answer_to_reset(connection.atr)
    try:
        summary = Channel(connection).run(inspect_card())
    except CardlibError as error:
        code = MUTE if error.code == CardGoneError.default_code else error.code
        yield lacking("card", code, **error.facts)
        return
    yield found("kind", kind_of(summary))
    yield _purses(summary)
    pad = ask_reader(connection)
    if in_reader:
        yield found("pin_pad", _pad_word(pad is not None and pad.can_verify))
        yield _lengths(connection.atr, PadProperties() if pad is None else pad.properties)


def _answer_to_reset(raw: bytes) -> Finding:
    try:
        atr = Atr.decode(raw)
    except MalformedError as error:
        return lacking("atr", error.code, raw.hex().upper(), **error.facts)
    return found("atr", f"{raw.hex().upper()}, {described(atr)}")


def described(atr: Atr) -> str:
    """``T=1, CNS 1.0, STIncard``: protocol, version and maker as far as the card says."""
    words = [str(atr.protocol)]
    if atr.cns_version is not None:
        words.append(f"CNS {atr.cns_version >> 4}.{atr.cns_version & 0x0F}")
        words.append(_MASK_MAKERS.get(atr.historical[3], f"{atr.historical[3]:02X}"))
    return ", ".join(words)


def kind_of(summary: CardSummary) -> str:
    """``crs``, ``white`` or ``other``: words of the catalogue."""
    if summary.card_id:
        return "crs"
    return "white" if summary.has_services else "other"


def _purses(summary: CardSummary) -> Finding:
    if not summary.purses:
        code = "PURSE_MISSING" if summary.has_services else "CARD_NOT_CRS"
        return lacking("purses", code)
    told = (
        f"{item.directory:04X} {item.info.issuer_code}-{item.info.purse.hex()}"
        for item in summary.purses
    )
    return found("purses", ", ".join(told))


def _pad_word(present: bool) -> str:  # noqa: FBT001 - one word of two
    return "yes" if present else "no"


def _lengths(raw: bytes, reader_says: PadProperties) -> Finding:
    """Whether commands above 255 bytes can be sent: card and reader must both take them."""
    try:
        card_takes = Atr.decode(raw).extended_length
    except MalformedError:
        card_takes = False
    longest = reader_says.apdu_data_max
    reader_takes = longest is None or longest > _SHORT_APDU
    return found("extended", _pad_word(card_takes and reader_takes))
