"""Plugs a virtual card into a real pcscd, and finds it there as any program would.

Needs Debian's pcscd and vsmartcard-vpcd. The daemon is one of our own, beside the machine's.
"""

import os
import tempfile
from pathlib import Path

from training import driver, new_card

from cardlib.system import SystemClock
from simulator.connection import InProcessConnection
from simulator.private_pcscd import PrivatePcscd
from simulator.vpcd import VirtualReader

clock = SystemClock()
with (
    tempfile.TemporaryDirectory(prefix="pcscd") as folder,
    PrivatePcscd(Path(folder), clock) as daemon,
    VirtualReader(InProcessConnection(new_card(50_00)), ("127.0.0.1", daemon.port)),
):
    os.environ.update(daemon.environment)  # before this process asks PC/SC anything
    from cardlib import pcsc

    clock.sleep(1.0)  # pcscd looks into its readers every 400 ms
    print("readers:", ", ".join(pcsc.readers()))
    connection = pcsc.connect("Virtual PCD")
    card = driver(connection)
    print("balance:", card.read().wallets[1].balance)
    card.end()
    connection.close()
