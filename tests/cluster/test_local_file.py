"""Files that grow."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from kubectl_netpolgen.cluster.local_file import LocalFile, LocalWriteFailed


def test_increments_add_up_and_keep_gives_the_name(tmp_path: Path) -> None:
    local = LocalFile(tmp_path / "a.pcap", 100)
    for chunk in (b"one", b"two"):
        local.write(chunk)
        local.flush()
    assert local.offset == 6
    assert not (tmp_path / "a.pcap").exists()
    assert local.digest() == hashlib.sha256(b"onetwo").hexdigest()
    assert local.keep() == tmp_path / "a.pcap"
    assert (tmp_path / "a.pcap").read_bytes() == b"onetwo"
    assert [path.name for path in tmp_path.iterdir()] == ["a.pcap"]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        local = LocalFile(tmp_path / "a", 100)
        local.write(b"secret")
        path = local.keep()
    finally:
        os.umask(old)
    assert path is not None and path.stat().st_mode & 0o777 == 0o600


def test_truncation_forgets_what_came_after(tmp_path: Path) -> None:
    local = LocalFile(tmp_path / "a", 100)
    local.write(b"good and bad")
    local.truncate(4)
    local.write(b"!")
    assert local.keep(".suspect") == tmp_path / "a.suspect"
    assert (tmp_path / "a.suspect").read_bytes() == b"good!"


def test_a_file_that_never_got_a_byte_is_none(tmp_path: Path) -> None:
    local = LocalFile(tmp_path / "a", 100)
    local.truncate(0)
    assert local.digest() == hashlib.sha256(b"").hexdigest()
    assert local.keep() is None


def test_what_arrives_after_the_end_is_dropped(tmp_path: Path) -> None:
    local = LocalFile(tmp_path / "a", 100)
    local.write(b"in time")
    local.keep()
    local.write(b"late")
    local.flush()
    assert (tmp_path / "a").read_bytes() == b"in time"
    assert not local.part.exists()


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    local = LocalFile(tmp_path / "missing" / "a", 100)
    with pytest.raises(LocalWriteFailed, match=r"missing/a\.part") as caught:
        local.write(b"x")
    assert "--bundle" in caught.value.way_out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_full_disk_is_noticed_at_the_latest_when_handing_over(tmp_path: Path) -> None:
    local = LocalFile(tmp_path / "a", 100)
    local.part.symlink_to("/dev/full")
    with pytest.raises(LocalWriteFailed, match="No space left on device"):
        local.write(b"x")
        local.flush()
