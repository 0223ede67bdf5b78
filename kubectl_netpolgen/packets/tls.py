"""The server name of a TLS or DTLS ClientHello: RFC 8446, 4.1.2; RFC 6066, 3; RFC 9147, 5.

A hello with a post-quantum key share is longer than a segment, and may be cut into several records: what is
missing is told, so that `assembly` can wait for it. Of an encrypted hello (ECH) this is the outer name.
"""

from __future__ import annotations

from typing import NamedTuple

from kubectl_netpolgen.packets.hostnames import read_host_name

RECORD_HEADER, HANDSHAKE_HEADER = 5, 4
_DTLS_RECORD_HEADER, _DTLS_HANDSHAKE_HEADER = 13, 12
HANDSHAKE, CLIENT_HELLO, MAJOR, NEWEST_MINOR = 22, 1, 3, 4
_DTLS_MAJORS = (0xFE, 0x01)
"""254 is DTLS 1.0 and later; 1 the draft that Cisco AnyConnect speaks."""

VERSION_AND_RANDOM = 34
LONGEST_RECORD = (1 << 14) + 2048
LONGEST_HELLO = 1 << 16
SHORTEST_HELLO = VERSION_AND_RANDOM + 1 + 4 + 2
"""Bytes: no session, one cipher suite, one compression method."""


class ClientHello(NamedTuple):
    """What a client said first."""

    server_name: str | None
    """In the form of DNS names; None when there is none, or not yet."""
    missing: int
    """Bytes of the stream that are still to come, at least; 0 when the hello is whole."""


def begins_client_hello(buffer: bytes, at: int, end: int) -> bool:
    """Whether a stretch of a buffer begins like the record of a ClientHello, of any TLS or SSL 3.0."""
    return (
        end - at > RECORD_HEADER
        and buffer[at] == HANDSHAKE
        and buffer[at + 1] == MAJOR
        and buffer[at + 5] == CLIENT_HELLO
        and buffer[at + 2] <= NEWEST_MINOR
    )


def read_client_hello(payload: bytes) -> ClientHello | None:
    """Read what a client sent first; None when it is no ClientHello."""
    size = len(payload)
    if not begins_client_hello(payload, 0, size):
        return None
    record = payload[3] << 8 | payload[4]
    if not 0 < record <= LONGEST_RECORD:
        return None
    at = RECORD_HEADER + HANDSHAKE_HEADER
    if size >= at and record > HANDSHAKE_HEADER:
        length = payload[6] << 16 | payload[7] << 8 | payload[8]
        if not SHORTEST_HELLO <= length <= LONGEST_HELLO or (size > at and payload[at] != MAJOR):
            return None
        end = at + length
        if length <= record - HANDSHAKE_HEADER or size <= RECORD_HEADER + record:
            # all of it that is here lies in one piece
            if size >= end:
                return ClientHello(_find_name(payload, at + VERSION_AND_RANDOM, end), 0)
            return ClientHello(_find_name(payload, at + VERSION_AND_RANDOM, size), end - size)
    return _read_pieces(payload)


def read_dtls_client_hello(payload: bytes) -> ClientHello | None:
    """The same for a datagram; None also for a fragment of a hello that is not its first."""
    at = _DTLS_RECORD_HEADER + _DTLS_HANDSHAKE_HEADER
    size = len(payload)
    if size <= at or payload[0] != HANDSHAKE or payload[13] != CLIENT_HELLO:
        return None
    if payload[1] not in _DTLS_MAJORS or any(payload[19:22]) or payload[at] not in _DTLS_MAJORS:
        return None
    length = int.from_bytes(payload[14:17], "big")
    here = int.from_bytes(payload[22:25], "big")
    if not SHORTEST_HELLO <= length <= LONGEST_HELLO or here > length:
        return None
    end = min(at + here, size)
    # the cookie behind the session is DTLS's own
    cookie = _behind_short(payload, at + VERSION_AND_RANDOM, end)
    found = None if cookie is None else _find_name(payload, cookie, end)
    return ClientHello(found, at + length - end)


def _read_pieces(payload: bytes) -> ClientHello | None:
    """A hello over several records: their contents side by side, as far as they are here."""
    size = len(payload)
    content = b""
    length = at = 0
    while at + RECORD_HEADER <= size and (not length or len(content) < HANDSHAKE_HEADER + length):
        if payload[at] != HANDSHAKE or payload[at + 1] != MAJOR:
            return None
        record = payload[at + 3] << 8 | payload[at + 4]
        at += RECORD_HEADER
        if not 0 < record <= LONGEST_RECORD:
            return None
        content += payload[at : at + record]
        at += record
        if not length and len(content) >= HANDSHAKE_HEADER:
            length = int.from_bytes(content[1:4], "big")
            if not SHORTEST_HELLO <= length <= LONGEST_HELLO:
                return None
    if not length:
        return ClientHello(None, max(1, HANDSHAKE_HEADER - len(content)))
    end = HANDSHAKE_HEADER + length
    found = _find_name(content, HANDSHAKE_HEADER + VERSION_AND_RANDOM, min(end, len(content)))
    return ClientHello(found, max(0, end - len(content)))


def _find_name(hello: bytes, at: int, end: int) -> str | None:
    """The server name of a hello, from the vector in front of its cipher suites on: session or cookie."""
    if at >= end:
        return None
    at += 1 + hello[at]
    if at + 2 > end:
        return None
    at += 2 + (hello[at] << 8 | hello[at + 1])
    if at >= end:
        return None
    at += 1 + hello[at]
    # the length of all extensions says nothing that their own do not
    at += 2
    while at + 4 <= end:
        length = hello[at + 2] << 8 | hello[at + 3]
        if not hello[at] and not hello[at + 1]:
            return _read_server_names(hello, at + 4, min(end, at + 4 + length))
        at += 4 + length
    return None


def _read_server_names(hello: bytes, at: int, end: int) -> str | None:
    """The one host name of the extension `server_name`; there is no other kind of name.

    An address there is forbidden (RFC 6066, 3), sent by some all the same, and told as it was sent.
    """
    if at + 5 > end or hello[at + 2]:
        return None
    length = hello[at + 3] << 8 | hello[at + 4]
    if at + 5 + length > end:
        return None
    return read_host_name(hello[at + 5 : at + 5 + length], addresses=True)


def _behind_short(buffer: bytes, at: int, end: int) -> int | None:
    """The offset behind a vector with a length of one byte; None when it is not all here."""
    if at >= end or at + 1 + buffer[at] >= end:
        return None
    return at + 1 + buffer[at]
