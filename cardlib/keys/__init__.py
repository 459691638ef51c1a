"""Everything that needs a key: derivation, MACs, records at rest, security modules.

Nothing here does input or output, except the key file in ``key_file``.
"""
