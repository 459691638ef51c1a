"""A machine's disk in memory: what was not synced is lost with the power.

``disk`` is what a till is given, ``medium`` the machine, ``files`` the platter, ``databases``
SQLite on top of it.
"""

from simulator.town.disk.disk import DiskCopy, SimulatedDisk

__all__ = ["DiskCopy", "SimulatedDisk"]
