"""What goes to a reader with a keypad, so that the PIN never passes through the PC.

PC/SC part 10: the reader is asked for its features, then given the VERIFY to fill in. The
keypad here is simulated, as pcscd's virtual reader has none.
"""

from training import driver, new_card

from cardlib.codec.pin_pad import Language, verify_blank, verify_structure
from cardlib.errors import PinError
from simulator.connection import InProcessConnection
from simulator.pin_pad import KeypadReader, types
from simulator.training import PIN

blank = verify_blank()
print("to the card: ", bytes(blank).hex(" ").upper(), " (FF: where the digits go)")
print("to the reader:", verify_structure(blank, Language.ITALIAN).hex(" ").upper())

reader = KeypadReader(InProcessConnection(new_card(50_00)), [types("99999"), types(PIN)])
card = driver(reader)
card.read()
assert card.pin_pad
for _ in range(2):
    try:
        card.verify_pin_on_pad()
        print("the chip says: right")
    except PinError as error:
        print("the chip says:", error)
