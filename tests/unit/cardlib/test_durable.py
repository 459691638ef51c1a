"""Files that are replaced: the old or the new one, whatever happens in between."""

import os
import stat
from pathlib import Path

import pytest

from cardlib.durable import replace_file


def test_the_content_is_synced_before_the_rename_and_the_name_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, done = tmp_path / "bundle.cose", []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append(("directory" if directory else "content", path.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    replace_file(path, b"new")
    assert done == [("content", False), ("directory", True)]
    assert path.read_bytes() == b"new"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bundle.cose"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [
        ("bundle.cose", b"old")
    ]


def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    replace_file(tmp_path / "keys", b"x", private=True)
    replace_file(tmp_path / "bundle", b"x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("keys", "bundle")]
    assert modes[0] == 0o600
    assert modes[1] & 0o400
