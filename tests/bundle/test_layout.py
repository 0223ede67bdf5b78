"""Nothing that comes from a cluster or a file can name a place outside the bundle."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.bundle.layout import CaptureFile, bundle_name, capture_name

UID = "0b0e4c9e-6a3c-4b43-9f0c-0a4a0d0a8f10"


def test_capture_lies_in_the_folder_of_its_pod() -> None:
    assert capture_name(UID, "1a2b3c4d", CaptureFile.PCAP) == f"captures/{UID}/1a2b3c4d.pcap"
    assert capture_name(UID, "1a2b3c4d", CaptureFile.STATUS) == f"captures/{UID}/1a2b3c4d.status.json"


@pytest.mark.parametrize(
    "part",
    ["", ".", "..", "../x", "a/b", "/etc", "a\\b", "a\n", "a\x00", ".hidden", "a..b", "-x", "x" * 129, "é"],
)
def test_part_that_could_leave_the_folder_is_refused(part: str) -> None:
    with pytest.raises(ValueError):
        capture_name(part, "run", CaptureFile.PCAP)
    with pytest.raises(ValueError):
        capture_name(UID, part, CaptureFile.PCAP)


@given(st.text(), st.text())
def test_name_is_either_refused_or_three_levels_deep_and_plain(uid: str, run: str) -> None:
    try:
        name = capture_name(uid, run, CaptureFile.SOCKETS)
    except ValueError:
        return
    parts = PurePosixPath(name).parts
    assert parts == ("captures", uid, f"{run}.sockets")
    assert ".." not in parts


def test_bundle_is_named_by_namespace_and_utc_second() -> None:
    assert bundle_name(("shop",), 1_767_441_600_999_999_999) == "netpolgen-shop-20260103-120000"
    assert bundle_name(("shop", "pay"), 1_767_441_600_000_000_000) == "netpolgen-2-namespaces-20260103-120000"
