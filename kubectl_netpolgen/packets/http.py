"""The host that an HTTP/1 request is for: RFC 9112, 3.2."""

from __future__ import annotations

import re

from kubectl_netpolgen.packets.hostnames import read_host_name

_METHODS = (
    *(b"CONNECT", b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PATCH", b"POST", b"PUT", b"TRACE"),
    # WebDAV (RFC 4918, 3253, 3744, 5323), CalDAV, UPnP, and what proxies are told
    *(b"COPY", b"LOCK", b"MKCOL", b"MOVE", b"PROPFIND", b"PROPPATCH", b"UNLOCK", b"REPORT", b"SEARCH"),
    *(b"MKCALENDAR", b"MERGE", b"NOTIFY", b"SUBSCRIBE", b"UNSUBSCRIBE", b"M-SEARCH", b"LINK", b"PURGE"),
)
METHOD_STARTS = frozenset(method[0] for method in _METHODS)
"""The first bytes of requests, for a test before anything is copied."""
METHOD_PAIRS = frozenset(method[:2] for method in _METHODS)
"""The first two bytes of requests, which tell most of them from answers."""

_LONGEST_HEAD = 16 << 10
_LINE = re.compile(rb"(%s) ([^ \r\n]+) HTTP/1\.[0-9]\r?\n" % b"|".join(map(re.escape, _METHODS)))
_HEAD_END = re.compile(rb"\n\r?\n")
_HOST = re.compile(rb"\nhost:([^\r\n]*)\r?\n", re.IGNORECASE)
_ABSOLUTE = re.compile(rb"[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)", re.IGNORECASE)
_PORT = re.compile(rb":[0-9]*\Z")


def read_host(payload: bytes) -> str | None:
    """The name that a request asks for, without port; None when it is no request, or names only an address.

    A target that is a whole URL overrides the Host field (RFC 9112, 3.2.2). Of a request through a proxy,
    with such a target or with CONNECT, this is the name of who is behind it: that is told nowhere else, and
    the row shows the proxy's address beside it. A Host field that the segment's end cuts is none.
    """
    line = _LINE.match(payload, 0, _LONGEST_HEAD)
    if line is None:
        return None
    method, target = line.groups()
    if method == b"CONNECT":
        return _read_authority(target)
    absolute = _ABSOLUTE.match(target)
    if absolute is not None:
        return _read_authority(absolute[1])
    # the line's own end is the first that a field or the end of the head may follow
    start = line.end() - 1
    end = _HEAD_END.search(payload, start, _LONGEST_HEAD)
    host = _HOST.search(payload, start, _LONGEST_HEAD if end is None else end.end())
    return None if host is None else _read_authority(host[1].strip(b" \t"))


def _read_authority(authority: bytes) -> str | None:
    if authority.startswith(b"["):
        return None
    return read_host_name(_PORT.sub(b"", authority))
