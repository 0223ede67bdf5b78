"""Files that are no captures, named for what they are."""

from __future__ import annotations

import re
from pathlib import Path

from kubectl_netpolgen.model.errors import NetpolgenError

_EDITCAP = "convert it: editcap -F pcap IN OUT"
_UNPACK = "unpack it first"
_CONVERT = "name a file that tcpdump -w wrote"
_STARTS = (
    (b"snoop\x00\x00\x00", "a Solaris snoop file", _EDITCAP),
    (b"GMBU", "a Microsoft Network Monitor 2 file", _EDITCAP),
    (b"RTSS", "a Microsoft Network Monitor 1 file", _EDITCAP),
    (b"TRSNIFF data", "a Sniffer file", _EDITCAP),
    (b"XCP\x00", "a NetXRay file", _EDITCAP),
    (b"iptrace ", "an AIX iptrace file", _EDITCAP),
    (b"\x1c\x00\x01\xab", "an IXIA capture", _EDITCAP),
    (b"\xab\x01\x00\x1c", "an IXIA capture", _EDITCAP),
    (b"\x1c\x00\x01\xac", "an IXIA capture", _EDITCAP),
    (b"\xac\x01\x00\x1c", "an IXIA capture", _EDITCAP),
    (b"\xfd7zXZ\x00", "an xz file", "decompress it first: xz -dk FILE"),
    (b"BZh", "a bzip2 file", "decompress it first: bunzip2 -k FILE"),
    (b"\x04\x22\x4d\x18", "an LZ4 file", "decompress it first: lz4 -d FILE"),
    (b"\x1f\x9d", "a file of compress", "decompress it first: uncompress FILE"),
    (b"PK\x03\x04", "a zip archive", _UNPACK),
    (b"PK\x05\x06", "an empty zip archive", _CONVERT),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"\x7fELF", "a program", "name the capture file instead"),
    (b"SQLite format 3\x00", "a SQLite database", "name the capture file instead"),
    (b"%PDF-", "a PDF document", "name the capture file instead"),
    (b"\xff\xfe", "text in UTF-16", _CONVERT),
    (b"\xfe\xff", "text in UTF-16", _CONVERT),
)
_COMPRESSED = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
)
_TAR_MAGIC_AT = 257
_TEXTS = (
    (r"\s*<(!doctype html|html)\b", "an HTML page", "the download went wrong: fetch the file itself"),
    (r"\s*<\?xml\b", "XML", "name the file that tcpdump -w wrote, not one made from it"),
    (r"\s*[\[{]\s*([\"\[{]|[\]}])", "JSON", "name the file that tcpdump -w wrote, not one made from it"),
    (r"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself: git lfs pull"),
    (r"(1MOyoQ|obLD1A|TTyyoQ|obI8TQ|Cg0NCg)", "a capture in base64", "decode it first: base64 -d FILE"),
    (r"-----BEGIN ", "a key or a certificate", "name the capture file instead"),
    (r"tcpdump: ", "what tcpdump said, not what it wrote", "keep the two apart: tcpdump -w FILE"),
    (r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d+ (IP6?|ARP)\b", "the text that tcpdump prints", _CONVERT),
    (r" *\d+ +\d+\.\d+ +\S+ +(→|->) ", "the text that tshark prints", "write packets: tshark -w FILE"),
    (r"Frame \d+: \d+ bytes on wire", "the text that tshark -V prints", "write packets: tshark -w FILE"),
    (r"(0x)?0000:?\s+([0-9a-f]{2,4} ){4}", "a hex dump", "convert it: text2pcap IN OUT"),
    (r"apiVersion:|kind:", "a Kubernetes manifest", _CONVERT),
)
_LINK_TYPES = {
    3: "AX.25",
    6: "Token Ring",
    7: "ARCNET",
    8: "SLIP",
    9: "PPP",
    10: "FDDI",
    50: "PPP in HDLC-like framing",
    51: "PPP over Ethernet, without Ethernet",
    100: "ATM, RFC 1483",
    104: "Cisco HDLC",
    105: "IEEE 802.11",
    107: "Frame Relay",
    109: "OpenBSD IPsec",
    114: "LocalTalk",
    117: "OpenBSD pflog",
    119: "IEEE 802.11 with a Prism header",
    122: "IP over Fibre Channel",
    127: "IEEE 802.11 with radiotap",
    138: "IP over IEEE 1394",
    143: "DOCSIS",
    144: "IrDA",
    147: "reserved for private use",
    163: "IEEE 802.11 with an AVS header",
    166: "PPP with a direction",
    177: "LAPD",
    187: "Bluetooth HCI",
    189: "USB on Linux",
    192: "PPI",
    195: "IEEE 802.15.4",
    197: "ERF",
    201: "Bluetooth HCI on Linux",
    203: "LAPD",
    204: "PPP with a direction",
    205: "Cisco HDLC with a direction",
    206: "Frame Relay with a direction",
    220: "USB on Linux",
    227: "CAN on Linux",
    230: "IEEE 802.15.4 without its check sequence",
    239: "netfilter's log",
    240: "netANALYZER",
    247: "InfiniBand",
    249: "USB by USBPcap",
    251: "Bluetooth Low Energy",
    252: "exported PDUs of Wireshark",
    253: "netlink",
    258: "Apple's pktap",
    266: "USB on Darwin",
    270: "LoRaTap",
    271: "virtual sockets",
    272: "Nordic Bluetooth",
}
"""https://www.tcpdump.org/linktypes.html"""


class NotACapture(NetpolgenError):
    """The file is no capture that this program reads; the message says what it is instead."""


class UnreadableCapture(NetpolgenError):
    """The operating system would not open or read the file."""


def foreign_file(
    path: Path | str, start: bytes, *, compression: str = "", damage: str | None = None
) -> NotACapture:
    """The error for a file that begins like this, with what it is and what to do about it.

    The start is what lies behind the compression, if there is one; the damage, what ended it early.
    """
    inside = f", inside {compression}" if compression else ""
    if not start:
        if damage is not None:
            return NotACapture(
                f"{path} is no capture that can be read: {damage}", way_out="copy the file again"
            )
        empty = f"there is nothing inside its {compression}" if compression else "it is empty"
        return NotACapture(f"{path} is no capture: {empty}", way_out=_CONVERT)
    for magic, kind, way_out in _STARTS:
        if start.startswith(magic):
            return NotACapture(f"{path} is no pcap or pcapng file but {kind}{inside}", way_out=way_out)
    for magic, kind in _COMPRESSED:
        if start.startswith(magic):
            return NotACapture(
                f"{path} is compressed twice, {kind}{inside}, and one layer is read",
                way_out="decompress it once",
            )
    if start[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar":
        return NotACapture(f"{path} is no pcap or pcapng file but a tar archive{inside}", way_out=_UNPACK)
    text = _as_text(start)
    if text is None:
        return NotACapture(
            f"{path} is no capture: it begins with bytes {start[:4].hex(' ')}{inside}", way_out=_CONVERT
        )
    for pattern, kind, way_out in _TEXTS:
        if re.match(pattern, text, re.IGNORECASE):
            return NotACapture(f"{path} is no capture but {kind}{inside}", way_out=way_out)
    return NotACapture(f"{path} is no capture: it begins like text{inside}", way_out=_CONVERT)


def cut_header(path: Path | str, found: int, wanted: int) -> NotACapture:
    """The error for a capture that ends in its very header."""
    return NotACapture(
        f"{path} is no whole capture: its header ends after {found} of {wanted} bytes",
        way_out="copy the file again, or capture again",
    )


def link_type_name(number: int) -> str:
    """The number, with its name where it is a common one."""
    return f"{number} ({_LINK_TYPES[number]})" if number in _LINK_TYPES else str(number)


def unknown_link_type(path: Path | str, number: int) -> NotACapture:
    """The error for a capture of a kind of link that no pod has."""
    return NotACapture(
        f"{path} has link type {link_type_name(number)}, which is not read",
        way_out="capture on the pod's own interface or with tcpdump -i any",
    )


def _as_text(start: bytes) -> str | None:
    """The start as text, or None; up to three bytes of a character that is cut at its end are forgiven."""
    for cut in range(4):
        try:
            text = start[: len(start) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
        printable = all(character in "\t\n\r\f\x1b" or character.isprintable() for character in text)
        return text if printable and text else None
    return None
