from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.errors import NetpolgenError
from kubectl_netpolgen.packets.foreign import cut_header, foreign_file, unknown_link_type

PATH = Path("captures/pod.pcap")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"", "it is empty"),
        (b"snoop\0\0\0\0\0\0\x02", "a Solaris snoop file"),
        (b"GMBU\0\x02", "Network Monitor 2"),
        (b"RTSS", "Network Monitor 1"),
        (b"\xac\x01\0\x1c", "an IXIA capture"),
        (b"\xfd7zXZ\0\0", "an xz file"),
        (b"BZh91AY", "a bzip2 file"),
        (b"\x04\x22\x4d\x18", "an LZ4 file"),
        (b"PK\x03\x04", "a zip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"name".ljust(257, b"\0") + b"ustar  ", "a tar archive"),
        (b"\x7fELF\x02", "a program"),
        (b"SQLite format 3\0", "a SQLite database"),
        (b"\xff\xfet\0e\0", "text in UTF-16"),
        (b"<html>\n<body>", "an HTML page"),
        (b"\n<!DOCTYPE html>", "an HTML page"),
        (b"<?xml version='1.0'?><pdml>", "XML"),
        (b'[\n  {"_index": "packets"', "JSON"),
        (b"{}", "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"1MOyoQIABAAAAAAAAAAAAAAABAABAAAA\n", "a capture in base64"),
        (b"-----BEGIN CERTIFICATE-----", "a certificate"),
        (b"tcpdump: listening on eth0", "what tcpdump said"),
        (b"12:00:00.000001 IP 10.0.0.1.1 > 10.0.0.2.2: Flags [S]", "the text that tcpdump prints"),
        ("    1   0.000000 10.0.0.1 \u2192 10.0.0.2 TCP 74".encode(), "the text that tshark prints"),
        (b"Frame 1: 74 bytes on wire", "the text that tshark -V prints"),
        (b"0000  45 00 00 3c 1c 46", "a hex dump"),
        (b"apiVersion: v1\nkind: Pod", "a Kubernetes manifest"),
        (b"\xef\xbb\xbfsome words", "it begins like text"),
        ("Gr\u00fc\u00dfe \u2026".encode()[:-1], "it begins like text"),
        (b"\xd4\xc3", "d4 c3"),
        (b"\x00\x01\x02\x03\x04", "00 01 02 03"),
    ],
)
def test_a_foreign_file_is_named_for_what_it_is(start: bytes, kind: str) -> None:
    error = foreign_file(PATH, start)
    assert isinstance(error, NetpolgenError)
    assert str(PATH) in error.message
    assert kind in error.message
    assert error.way_out


@pytest.mark.parametrize(
    "start", [b"BZh9", b"some words", b"\x00\x01\x02\x03", b"", b"name".ljust(257) + b"ustar"]
)
def test_what_lies_inside_a_compressed_file_is_said_to(start: bytes) -> None:
    error = foreign_file(PATH, start, compression="gzip")
    assert "inside" in error.message
    assert "gzip" in error.message


@pytest.mark.parametrize(("start", "kind"), [(b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "Zstandard")])
def test_a_second_layer_of_compression_is_not_read(start: bytes, kind: str) -> None:
    error = foreign_file(PATH, start, compression="zstd")
    assert error.message == f"{PATH} is compressed twice, {kind}, inside zstd, and one layer is read"


def test_a_file_of_which_nothing_could_be_decompressed_says_why() -> None:
    error = foreign_file(
        PATH, b"", compression="gzip", damage="the gzip data ends early, at byte 3 of the file"
    )
    assert error.message.endswith("the gzip data ends early, at byte 3 of the file")


@given(st.binary(max_size=600))
def test_every_beginning_has_an_error_that_fits_a_line(start: bytes) -> None:
    error = foreign_file(PATH, start)
    assert error.message.isprintable()
    assert error.way_out


def test_a_header_cut_short_says_how_much_is_there() -> None:
    assert "after 9 of 24 bytes" in cut_header(PATH, 9, 24).message


def test_a_link_type_that_no_pod_has_is_named_by_number_and_by_name_where_it_has_one() -> None:
    error = unknown_link_type(PATH, 127)
    assert "link type 127 (IEEE 802.11 with radiotap)" in error.message
    assert "tcpdump -i any" in error.way_out
    assert "link type 4711, which is not read" in unknown_link_type(PATH, 4711).message
