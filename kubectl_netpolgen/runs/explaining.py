"""One connection, port by port where no port is asked about: what is answered alike is one answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netpolgen.documents.json_text import dump_line
from kubectl_netpolgen.model.errors import UsageError
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.output.verdicts import verdict_item
from kubectl_netpolgen.semantics.changes import changes_of
from kubectl_netpolgen.semantics.ends import End
from kubectl_netpolgen.semantics.judge import Judge
from kubectl_netpolgen.semantics.verdicts import Verdict


@dataclass(frozen=True)
class Explained:
    """A verdict on some ports."""

    protocol: Protocol
    ports: tuple[tuple[int, int], ...]
    verdict: Verdict
    changes: tuple[str, ...]
    """What would turn it."""


def parse_port(text: str) -> tuple[Protocol, int]:
    """`8080/TCP`, or `8080` for TCP. Raises UsageError."""
    number, _, name = text.partition("/")
    protocol = next((item for item in Protocol if item.value == (name.upper() or "TCP")), None)
    if protocol is None or not (number.isascii() and number.isdigit() and 1 <= int(number[:6]) <= 65535):
        raise UsageError(f"{text}: is no port", way_out="as 8080/TCP: a number up to 65535, TCP, UDP or SCTP")
    return protocol, int(number)


def explain(
    judge: Judge, source: End, destination: End, words: tuple[str, str], port: tuple[Protocol, int] | None
) -> Iterator[Explained]:
    """The verdict on a port, or those on all of them; `words` are the ends' names for people."""
    if port is not None:
        yield _explained(judge.judge(source, destination, *port), words, port[0], ((port[1], port[1]),))
        return
    ports = judge.compiled.ports
    for protocol in Protocol:
        alike: dict[str, tuple[Verdict, int]] = {}
        for atom in range(ports.atom(protocol, 1), ports.atom(protocol, 65535) + 1):
            ((first, _),) = ports.ranges(1 << atom)[protocol]
            verdict = judge.judge(source, destination, protocol, first)
            text = dump_line(verdict_item(verdict))
            alike[text] = (verdict, alike.get(text, (verdict, 0))[1] | 1 << atom)
        for verdict, mask in alike.values():
            yield _explained(verdict, words, protocol, ports.ranges(mask)[protocol])


def _explained(
    verdict: Verdict, words: tuple[str, str], protocol: Protocol, ports: tuple[tuple[int, int], ...]
) -> Explained:
    wanted = f"{ports_text(ports)}/{protocol.value}"
    changes = changes_of(verdict, source=words[0], destination=words[1], port=wanted)
    return Explained(protocol, ports, verdict, changes)


def ports_text(ports: tuple[tuple[int, int], ...]) -> str:
    """`80,8000-8080`."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ports)
