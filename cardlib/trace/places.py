"""Names of directories and files, for SELECT in a trace."""

from cardlib.codec import files
from cardlib.codec.apdu import Command

_BY_FID, _PARENT, _BY_NAME, _FROM_MF = 0x00, 0x03, 0x04, 0x08
_DIRECTORIES: dict[files.Path, str] = {
    (): "MF",
    (files.DF_SYSTEM,): "DF0",
    (files.DF_HOLDER,): "DF1",
    (files.DF_SERVICES,): "DF2",
    (files.DF_SIGNATURE,): "DF.DS",
}
_FILES: dict[files.Path, str] = {
    path: name
    for name, path in vars(files).items()
    if name.startswith("EF_") and isinstance(path, tuple)
}


def selected_path(command: Command) -> files.Path | None:
    """File ids from below the MF that SELECT names; None for one by name or of the parent.

    A lone id (P1 00) is taken as it stands: where it lies depends on what was selected.
    """
    if command.p1 not in (_BY_FID, _FROM_MF) or len(command.data) % 2:
        return None
    ids = command.data
    path = tuple(int.from_bytes(ids[at : at + 2], "big") for at in range(0, len(ids), 2))
    return path[1:] if path[:1] == (files.MF,) else path


def place_name(path: files.Path) -> str:
    """``EF_GDO``, ``DF.BUONO 1``, or the ids in hex."""
    known = _DIRECTORIES.get(path) or _FILES.get(path)
    if known is not None:
        return known
    directory = purse_directory(path)
    if directory is not None:
        return f"DF.BUONO {directory - files.DF_BUONO_FIRST + 1}"
    own = next((item.name for item in files.PURSE_FILES if path[-1:] == (item.fid,)), None)
    return own or "/".join(f"{fid:04X}" for fid in path)


def purse_directory(path: files.Path) -> int | None:
    """The id of the purse directory that a path leads to or into, or None."""
    return next((fid for fid in path if files.DF_BUONO_FIRST <= fid <= files.DF_BUONO_LAST), None)


def select_words(command: Command) -> str:
    """What a SELECT names."""
    if command.p1 == _BY_NAME:
        return f"AID {command.data.hex().upper()}"
    if command.p1 == _PARENT:
        return ".."
    path = selected_path(command)
    return command.data.hex().upper() if path is None else place_name(path)
