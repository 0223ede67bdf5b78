"""What clients say first, built in code: ClientHellos of TLS and DTLS, and DNS messages for a TCP stream."""

from __future__ import annotations

import struct

from tests.packets.factories import dns_name

SRV = 33
SERVER_NAME = "api.example.test"


def extension(number: int, content: bytes) -> bytes:
    """One TLS extension."""
    return struct.pack(">HH", number, len(content)) + content


def server_name(name: bytes) -> bytes:
    """The extension `server_name`, with one host name."""
    return extension(0, struct.pack(">HBH", len(name) + 3, 0, len(name)) + name)


def a_hello(
    name: str | bytes | None = SERVER_NAME,
    *,
    session: bytes = bytes(32),
    cookie: bytes | None = None,
    key_share: int = 36,
    name_last: bool = False,
) -> bytes:
    """A ClientHello's body; a post-quantum key share has 1,220 bytes or so. `cookie` makes it DTLS."""
    version = b"\x03\x03" if cookie is None else b"\xfe\xfd"
    raw = name.encode() if isinstance(name, str) else name
    named = b"" if raw is None else server_name(raw)
    share = extension(51, bytes(key_share))
    extensions = extension(10, b"\0\2\0\x1d") + (share + named if name_last else named + share)
    body = version + bytes(range(32)) + bytes((len(session),)) + session
    if cookie is not None:
        body += bytes((len(cookie),)) + cookie
    return body + b"\0\4\x13\x01\x13\x02" + b"\1\0" + struct.pack(">H", len(extensions)) + extensions


def tls_records(body: bytes, *, version: int = 0x0301, cuts: tuple[int, ...] = ()) -> bytes:
    """A ClientHello in one TLS record, or in several that end at these bytes of the handshake message."""
    message = b"\1" + len(body).to_bytes(3, "big") + body
    ends = [*cuts, len(message)]
    starts = [0, *cuts]
    pieces = (message[start:end] for start, end in zip(starts, ends, strict=True))
    return b"".join(struct.pack(">BHH", 22, version, len(piece)) + piece for piece in pieces)


def a_client_hello(
    name: str | bytes | None = SERVER_NAME,
    *,
    version: int = 0x0301,
    cuts: tuple[int, ...] = (),
    key_share: int = 36,
    name_last: bool = False,
) -> bytes:
    """What a TLS client sends first."""
    body = a_hello(name, key_share=key_share, name_last=name_last)
    return tls_records(body, version=version, cuts=cuts)


def a_dtls_client_hello(
    name: str | bytes | None = SERVER_NAME,
    *,
    version: int = 0xFEFF,
    cookie: bytes = b"",
    offset: int = 0,
    length: int | None = None,
) -> bytes:
    """A datagram with a DTLS ClientHello, or with so many bytes of it from an offset on."""
    body = a_hello(name, cookie=cookie)
    piece = body[offset : None if length is None else offset + length]
    handshake = b"\1" + len(body).to_bytes(3, "big") + bytes(2) + offset.to_bytes(3, "big")
    handshake += len(piece).to_bytes(3, "big") + piece
    return struct.pack(">BHHHIH", 22, version, 0, 0, 0, len(handshake)) + handshake


def over_tcp(*messages: bytes) -> bytes:
    """DNS messages as a TCP stream has them, each behind its length."""
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


def announcement(*records: tuple[str, int, bytes], flags: int = 0x8400, additional: int = 0) -> bytes:
    """A multicast DNS response; so many of its records (owner, type, data) count as additional ones."""
    message = struct.pack(">HHHHHH", 0, flags, 0, len(records) - additional, 0, additional)
    for owner, number, content in records:
        message += dns_name(owner) + struct.pack(">HHIH", number, 0x8001, 120, len(content)) + content
    return message
