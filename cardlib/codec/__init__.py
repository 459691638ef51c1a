"""Bytes and values of the card: APDUs, BER-TLV, status words, CRS files, purse records.

Pure: nothing here reads, writes, or knows a key. The only part of ``cardlib``
that the simulated card may import.
"""
