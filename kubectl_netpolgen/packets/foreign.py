"""Files that are no captures, named for what they are."""

from __future__ import annotations

from pathlib import Path

from kubectl_netpolgen.model.errors import NetpolgenError

_EDITCAP = "convert it: editcap -F pcap IN OUT"
_LONGER_RECORDS = "a pcap file with Kuznetzov's longer records"
_STARTS = (
    (b"\x0a\x0d\x0d\x0a", "a pcapng file", _EDITCAP),
    (b"\x34\xcd\xb2\xa1", _LONGER_RECORDS, _EDITCAP),
    (b"\xa1\xb2\xcd\x34", _LONGER_RECORDS, _EDITCAP),
    (b"snoop\x00\x00\x00", "a Solaris snoop file", _EDITCAP),
    (b"\x1f\x8b", "a gzip file", "decompress it first: gunzip -k FILE"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "decompress it first: zstd -d FILE"),
    (b"\xfd7zXZ\x00", "an xz file", "decompress it first: xz -dk FILE"),
    (b"BZh", "a bzip2 file", "decompress it first: bunzip2 -k FILE"),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"\x7fELF", "a program", "name the capture file instead"),
)
_CONVERT = "name a file that tcpdump -w wrote"


class NotACapture(NetpolgenError):
    """The file is no capture that this program reads; the message says what it is instead."""


class UnreadableCapture(NetpolgenError):
    """The operating system would not open or read the file."""


def foreign_file(path: Path, start: bytes) -> NotACapture:
    """The error for a file that begins like this, with what it is and what to do about it."""
    if not start:
        return NotACapture(f"{path} is no capture: it is empty", way_out=_CONVERT)
    for magic, kind, way_out in _STARTS:
        if start.startswith(magic):
            return NotACapture(f"{path} is no classic pcap file but {kind}", way_out=way_out)
    if all(byte in b"\t\n\r" or 0x20 <= byte < 0x7F for byte in start):
        return NotACapture(f"{path} is no capture: it begins like text", way_out=_CONVERT)
    return NotACapture(f"{path} is no capture: it begins with bytes {start[:4].hex(' ')}", way_out=_CONVERT)


def unknown_link_type(path: Path, number: int) -> NotACapture:
    """The error for a capture of a kind of link that no pod has."""
    return NotACapture(
        f"{path} has link type {number}, and only 1 (Ethernet), 113 (Linux cooked) and 276 (Linux cooked v2) "
        "are read",
        way_out="capture on the pod's own interface or with tcpdump -i any",
    )
