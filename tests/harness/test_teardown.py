"""What counts as the harness's own: too little leaves things behind, too much hurts others."""

from __future__ import annotations

from pathlib import Path

from tests.harness import teardown
from tests.harness.layout import Layout
from tests.harness.teardown import Leftovers

TABLE = """overlay /s/npg/node1/run/x/rootfs overlay rw 0 0
tmpfs /s/npg/node1/kubelet/pods/a/volumes tmpfs rw 0 0
tmpfs /s/npg/node1/kubelet/pods/a tmpfs rw 0 0
tmpfs /s/npg\\040two tmpfs rw 0 0
tmpfs /s/npg-other/x tmpfs rw 0 0
proc /proc proc rw 0 0
"""


def test_mounts_under_the_state_directory_are_ours_and_no_others() -> None:
    assert teardown.mounts(Path("/s/npg"), TABLE) == [
        "/s/npg/node1/run/x/rootfs",
        "/s/npg/node1/kubelet/pods/a/volumes",
        "/s/npg/node1/kubelet/pods/a",
    ]


def test_a_mount_point_with_a_space_is_read_as_it_is() -> None:
    assert teardown.mounts(Path("/s"), TABLE)[-1].startswith("/s/npg")
    assert "/s/npg two" in teardown.mounts(Path("/s"), TABLE)


def test_anything_left_is_something_left() -> None:
    assert not Leftovers((), (), (), (), (), False)
    assert Leftovers((), (), (), (), (), True)
    assert Leftovers((7,), (), (), (), (), False)


def test_only_directories_that_were_absent_are_remembered(tmp_path: Path, monkeypatch: object) -> None:
    where = Layout(state=tmp_path)
    teardown.remember_shared_directories(where)
    remembered = (tmp_path / "made-by-us").read_text().splitlines()
    assert all(not Path(name).exists() or Path(name) in teardown.SHARED_DIRECTORIES for name in remembered)
    assert str(Path("/usr")) not in remembered
