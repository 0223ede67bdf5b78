from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_netpolgen.model.errors import NetpolgenError
from kubectl_netpolgen.packets.foreign import foreign_file, unknown_link_type

PATH = Path("captures/pod.pcap")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"", "it is empty"),
        (b"\x0a\x0d\x0d\x0a\x60\0\0\0", "a pcapng file"),
        (b"\x34\xcd\xb2\xa1\x02\0\x04\0", "Kuznetzov"),
        (b"\x1f\x8b\x08\0", "a gzip file"),
        (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x7fELF\x02", "a program"),
        (b"<html>\n<body>", "it begins like text"),
        (b"\x00\x01\x02\x03\x04", "00 01 02 03"),
    ],
)
def test_a_foreign_file_is_named_for_what_it_is(start: bytes, kind: str) -> None:
    error = foreign_file(PATH, start)
    assert isinstance(error, NetpolgenError)
    assert str(PATH) in error.message
    assert kind in error.message
    assert error.way_out


def test_a_link_type_that_no_pod_has_is_named_by_number() -> None:
    error = unknown_link_type(PATH, 127)
    assert "link type 127" in error.message
    assert "tcpdump -i any" in error.way_out
