"""One port, or all of them with what is alike together."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.model.errors import UsageError
from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import PolicyPort, PolicyType, Rule
from kubectl_netpolgen.runs.explaining import Explained, explain, parse_port, ports_text
from kubectl_netpolgen.semantics.judge import Judge
from kubectl_netpolgen.semantics.verdicts import Decision
from tests.factories import a_pod, a_policy

RULE = Rule(ports=(PolicyPort(port=80), PolicyPort(port=8080)))
MANIFESTS = Manifests(
    pods=(a_pod("web-1"), a_pod("api-1", "10.244.1.6")),
    policies=(a_policy("api", policy_types=(PolicyType.INGRESS,), ingress=(RULE,)),),
)


def explained(port: tuple[Protocol, int] | None) -> list[Explained]:
    judge = Judge(MANIFESTS)
    names = ("shop/web-1", "shop/api-1")
    source, destination = map(judge.ends.pod, names)
    return list(explain(judge, source, destination, names, port))


def test_one_port_is_one_answer_with_what_would_turn_it() -> None:
    (found,) = explained((Protocol.TCP, 81))
    assert (found.protocol, found.ports, found.verdict.decision) == (
        Protocol.TCP,
        ((81, 81),),
        Decision.DENIED,
    )
    assert found.changes == ("add port 81/TCP to shop/api ingress rule 1",)


def test_all_ports_are_as_many_answers_as_differ() -> None:
    found = [
        (item.protocol.value, ports_text(item.ports), item.verdict.decision.value) for item in explained(None)
    ]
    assert found == [
        ("TCP", "1-79,81-8079,8081-65535", "denied"),
        ("TCP", "80,8080", "allowed"),
        ("UDP", "1-65535", "denied"),
        ("SCTP", "1-65535", "denied"),
    ]


def test_ports_as_people_write_them() -> None:
    assert parse_port("53/udp") == (Protocol.UDP, 53)
    assert parse_port("8080") == (Protocol.TCP, 8080)
    for text in ("0", "65536", "x", "80/ICMP", "9" * 5000, "²"):
        with pytest.raises(UsageError):
            parse_port(text)
