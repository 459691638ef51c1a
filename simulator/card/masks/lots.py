"""The CNS lots whose answers to reset are public, each with its ways.

Source of every ATR: ``smartcard_list.txt`` of pcsc-tools, which names who issued the card.
How chip and mask makers are told from the historical bytes, and that STIncard masks want
the PIN reference with backtracking while the others do not, is OpenSC's ``itacns`` driver.
All else that a mask does in its own way is played and unverified: the table in
docs/card-profile.md says what is whose word.
"""

from cardlib.codec.status import Status
from simulator.card.masks.cns import CnsCard
from simulator.card.masks.registry import Mask, register
from simulator.card.personal import REGION
from simulator.card.traits import CnsVersion, EndOfFile, FciForm, Listing, PinSearch, Traits

CRS_STINCARD = "crs-stincard"
PCSC_TOOLS = "pcsc-tools, smartcard_list.txt"

_STINCARD = Traits(cns=CnsVersion.V1_0, listing=Listing.SCAN)
_STINCARD_LATER = Traits(
    cns=CnsVersion.V1_1,
    extended_length=True,
    command_chaining=True,
    listing=Listing.SCAN,
    fci=FciForm(long_descriptor=True),
)
_SIEMENS = Traits(
    cns=CnsVersion.V1_0,
    listing=Listing.DIRECTORY,
    pin_search=PinSearch.CURRENT,
    fci=FciForm(long_descriptor=True, sized_directories=True),
)
_SIEMENS_LATER = Traits(
    cns=CnsVersion.V1_0,
    listing=Listing.DIRECTORY,
    pin_search=PinSearch.CURRENT,
    fci=FciForm(long_descriptor=True, trimmed_access=True),
    end_of_file=EndOfFile(beyond=Status.END_OF_FILE),
)
_ATHENA = Traits(
    cns=CnsVersion.V1_0,
    listing=Listing.SCAN,
    pin_search=PinSearch.CURRENT,
    fci=FciForm(template=0x62, total_size=True),
    end_of_file=EndOfFile(short=Status.OK),
)
_OBERTHUR = Traits(
    cns=CnsVersion.V1_0,
    listing=Listing.SCAN,
    pin_search=PinSearch.CURRENT,
    fci=FciForm(template=0x62, total_size=True, trimmed_access=True),
    end_of_file=EndOfFile(short=Status.OK, beyond=Status.END_OF_FILE),
)


def _lot(name: str, about: str, atr: str, traits: Traits, issuer: str = REGION) -> Mask:
    version = traits.cns
    assert version is not None
    card = CnsCard(name, bytes.fromhex(atr), version, issuer)
    return register(Mask(name, about, card.atr, card, traits, PCSC_TOOLS))


CRS_ATR = _lot(
    CRS_STINCARD,
    "CRS of Lombardy, STIncard mask, RSA-1024, CNS 1.0",
    "3BFF1800FF8131FE55006B02090200011101434E531031808F",
    _STINCARD,
).atr
"""A Lombardy CRS in the field: T=1, IFSC 254, "CNS", version 1.0."""
_lot(
    "crs-siemens-c805",
    "CRS of Lombardy, Siemens mask C805 on Infineon, RSA-1024, CNS 1.0",
    "3BFF1800FFC10A31FE55006B0508C805011101434E531031800C",
    _SIEMENS,
)
_lot(
    "crs-siemens-c80a",
    "CRS of Lombardy, Siemens mask C80A on Infineon, RSA-1024, CNS 1.0",
    "3BFF1800FFC10A31FE55006B0508C80A011101434E5310318003",
    _SIEMENS_LATER,
)
_lot(
    "crs-athena",
    "CRS of Lombardy, also TS-CNS of Tuscany, Athena mask on ATMEL, RSA-1024, CNS 1.0",
    "3BDF18008131FE7D006B150C0181011101434E53103180E8",
    _ATHENA,
)
_lot(
    "crs-sicilia",
    "CRS of Sicily, Siemens mask C809 on Infineon, RSA-1024, CNS 1.0",
    "3BFF1800FFC10A31FE55006B0508C809011101434E5310318000",
    _SIEMENS,
    "6190",
)
_lot(
    "cns-infocamere",
    "CNS of the chambers of commerce (InfoCamere), STIncard mask, RSA-1024, CNS 1.0",
    "3BFF1800FF8131FE55006B02090200010101434E531031809F",
    _STINCARD,
    "7420093",
)
_lot(
    "cns-infocamere-11",
    "CNS of the chambers of commerce (InfoCamere), STIncard mask, RSA-2048, CNS 1.1",
    "3BFF1800FF8131FE55006B02090200011101434E531131808E",
    _STINCARD_LATER,
    "7420093",
)
_lot(
    "tscns-toscana",
    "TS-CNS of Tuscany, Athena mask on NXP, RSA-1024, CNS 1.0",
    "3BDF18008131FE7D006B040C0184011101434E53103180FC",
    _ATHENA,
    "6090",
)
_lot(
    "tscns-trento",
    "TS-CNS of Trento and unified TS-CNS, Siemens mask C80C on Infineon, RSA-1024, CNS 1.0",
    "3BFF1800FFC10A31FE55006B0508C80C011101434E5310318005",
    _SIEMENS_LATER,
    "6042",
)
_lot(
    "tscns-sardegna",
    "TS-CNS of Sardinia and Emilia-Romagna, Oberthur mask on NXP, RSA-1024, CNS 1.0",
    "3BFF1800008131FE45006B04050100012101434E5310318059",
    _OBERTHUR,
    "6200",
)
_lot(
    "tscns-liguria",
    "TS-CNS of Liguria and Veneto, Oberthur mask on Infineon, RSA-1024, CNS 1.0",
    "3BFF1800008131FE45006B05051017012101434E531031805E",
    _OBERTHUR,
    "6070",
)
_lot(
    "tscns-fvg",
    "TS-CNS of Friuli Venezia Giulia, STIncard mask, RSA-2048, CNS 1.1",
    "3BFF1800FF8131FE55006B02091617011101434E531131808D",
    _STINCARD_LATER,
    "6060",
)
