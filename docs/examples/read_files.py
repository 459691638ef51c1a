"""Reads what anybody may read of a CRS: its answer to reset, its files, its purses."""

from training import new_card

from cardlib.channel import Channel
from cardlib.codec.atr import Atr
from cardlib.codec.commands import read_binary, select
from cardlib.codec.files import EF_ID_CARTA
from cardlib.dialogues.inspect import inspect_card
from simulator.connection import InProcessConnection

# With a card in a reader: connection = cardlib.pcsc.connect("name of the reader").
connection = InProcessConnection(new_card(50_00, mask="crs-stincard"))
channel = Channel(connection)

atr = Atr.decode(connection.atr)
print("ATR        ", connection.atr.hex(" ").upper())
print("protocols  ", ", ".join(f"T={number}" for number in atr.protocols))
print("historical ", atr.historical[9:12].decode("ascii"))

channel.send(select(EF_ID_CARTA))
print("EF_ID_Carta", channel.send(read_binary(0, 16)).data.decode("ascii"))

found = channel.run(inspect_card())
for purse in found.purses:
    print(f"purse       {purse.directory:04X} of issuer {purse.info.issuer_code}")
