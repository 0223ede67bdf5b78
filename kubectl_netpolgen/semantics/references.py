"""Addresses of servers in the text of variables and configuration files.

What is found is only what may be an address; whether it is a Service is for the reader to find out. User
names and passwords are never part of it: what stands before an `@` is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

LONGEST_TEXT = 1 << 20
"""A ConfigMap holds no more (core/v1 ConfigMap.data)."""
MOST_REFERENCES = 512

SCHEME_PORTS = {
    "amqp": 5672,
    "amqps": 5671,
    "http": 80,
    "https": 443,
    "ldap": 389,
    "ldaps": 636,
    "mongodb": 27017,
    "mqtt": 1883,
    "mysql": 3306,
    "nats": 4222,
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
    "ws": 80,
    "wss": 443,
}
"""What a URL without a port means; IANA's numbers, and those that the servers' own documents give."""

# Quotes, brackets and white space end an address in every format that configuration is written in.
_RUN = re.compile(r"[^\s\"'`<>(){}\[\]|\\^]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31})://")
# Several URLs in one value are separated so; a comma inside one separates hosts.
_NEXT_URL = re.compile(r"[,;](?=[A-Za-z][A-Za-z0-9+.-]{0,31}://)")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_NAME = re.compile(r"[\s-]*[\"']?([A-Za-z_][\w.-]{0,252})[\"']?[ \t]*[:=][ \t]*")
_ADDRESS_NAME = re.compile(
    r"(?:host(?:name)?s?|addr(?:ess)?(?:es)?|servers?|service|ur[li]s?|endpoints?|brokers?|upstreams?|backends?)"
    r"[\d_]*",
    re.IGNORECASE,
)
_LONGEST_WORD = 16
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|credential|private|apikey|api_key", re.IGNORECASE)


class Reference(NamedTuple):
    """A host that some text names."""

    host: str
    """Lower case, without a trailing dot."""
    port: int | None
    scheme: str = ""
    beside: int | None = None
    """The port that stands in a variable of its own beside the host's; it may be another's."""


def find_references(text: str, *, name: str = "", beside: int | None = None) -> tuple[Reference, ...]:
    """The addresses in the value of a variable or of a file called `name`, each once.

    A host alone is one only where the name of what it is assigned to says so (`HOST=orders`,
    `db.host: orders`); words are hosts by chance too often. What is called a password is not looked at.
    """
    found: dict[Reference, None] = {}
    lines = text[:LONGEST_TEXT].splitlines()
    for line in lines:
        if len(lines) == 1:
            _add(found, _of_value(name, line, beside))
        assigned = _NAME.match(line)
        inner = assigned[1] if assigned is not None else ""
        rest = line[assigned.end() :] if assigned is not None else ""
        if not _SECRET_NAME.search(name) and not _SECRET_NAME.search(inner):
            _add(found, _of_line(line))
            if rest:
                _add(found, _of_value(inner, rest))
        if len(found) >= MOST_REFERENCES:
            break
    return tuple(found)[:MOST_REFERENCES]


def _add(found: dict[Reference, None], more: Iterator[Reference]) -> None:
    for item in more:
        found.setdefault(item)


def port_beside(name: str, variables: Mapping[str, object]) -> int | None:
    """The number in `DB_PORT` for `DB_HOST`, in `redisPort` for `redisHost`, in `PGPORT` for `PGHOST`.

    `variables` are the texts of those set together, by their names in lower case.
    """
    prefix = _before_address(name)
    digits = variables.get(f"{prefix}port".lower()) if prefix is not None else None
    return _port(digits) if isinstance(digits, str) else None


def _before_address(name: str) -> str | None:
    """What stands before HOST in `DB_HOST`, Host in `redisHost`, addr in `server.addr`; None without such."""
    first = max(0, len(name) - _LONGEST_WORD)
    starts = (start for start in range(first, len(name)) if _ADDRESS_NAME.fullmatch(name, start))
    start = next(starts, None)
    return None if start is None else name[:start]


def _of_value(name: str, value: str, beside: int | None = None) -> Iterator[Reference]:
    """The host that is the whole value, where what it is assigned to is an address."""
    if _before_address(name) is None or _SECRET_NAME.search(name):
        return
    for part in value.split(","):
        host = _host(part.strip(" \t\r\"';"))
        if host is not None:
            yield Reference(host, None, beside=beside)


def _of_line(line: str) -> Iterator[Reference]:
    for match in _RUN.finditer(line):
        for part in _NEXT_URL.split(match.group()):
            yield from _of_url(part) if "://" in part else _of_word(part)


def _of_url(text: str) -> Iterator[Reference]:
    schemes = [(match[1].lower(), match.end()) for match in _SCHEME.finditer(text)]
    if not schemes:
        return
    if "@" in text:
        # a password may hold anything that was not escaped, another URL too: only what follows is an address
        end = text.rindex("@")
        if "?" in text[:end]:
            return  # a password's question mark, or an address of mail among the parameters
        schemes = [(schemes[0][0], end + 1)]
    for scheme, start in schemes:
        authority = re.split(r"[/?#;]", text[start : start + 4096], maxsplit=1)[0]
        for part in authority.split(","):
            yield from _of_host(part, scheme)


def _of_word(text: str) -> Iterator[Reference]:
    """`orders:8080`, `addr=orders:8080`, `user:pass@orders:8080`, `a:9092,b:9092`, `host=orders`."""
    text = text[text.rfind("@") + 1 :]
    name, equals, value = text.rpartition("=")
    if equals:
        if _SECRET_NAME.search(name):
            return
        yield from _of_value(name, value)
    for part in value.split(","):
        yield from _of_host(part.split("/", 1)[0].strip(";."))


def _of_host(text: str, scheme: str = "") -> Iterator[Reference]:
    """A host with its port; without one, only in a URL, or by a name that can be nothing but a Service's."""
    name, colon, digits = text.rpartition(":")
    if not colon:
        host = _host(text)
        if host is not None and (scheme or ".svc" in host):
            yield Reference(host, None, scheme)
        return
    host = _host(name)
    port = _port(digits)
    if host is not None and port is not None:
        yield Reference(host, port, scheme)


def _port(digits: str) -> int | None:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        return None
    return int(digits) if 1 <= int(digits) <= 65535 else None


def _host(text: str) -> str | None:
    host = text.removesuffix(".").lower()
    return host if len(host) <= 253 and _HOST.fullmatch(host) else None
