"""Captures that contradict each other, or the objects: told, and never settled in silence."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.flow import Conversation, Outcome
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    NOON,
    SECOND,
    a_capture,
    a_conversation,
    a_derivation,
    a_pod,
    a_workload,
    address,
    an_event,
    edge_words,
)

WEB, API, TWIN = a_pod("web-1", "10.244.1.5"), a_pod("api-1", "10.244.1.6"), a_pod("twin-1", "10.244.1.7")
OBJECTS: tuple[KubernetesObject, ...] = (WEB, API, TWIN, *map(a_workload, ("web", "api", "twin")))
CODES = {"captures-disagree", "capture-of-another", "address-contested", "selector-misses-pods"}


def told(items: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Code and subject of what contradicts."""
    return [(item.code, item.subject) for item in items if item.code in CODES]


def call(**changes: Any) -> Conversation:
    """From web to api."""
    return a_conversation(keys=("t1",), **changes)


@pytest.mark.parametrize("failure", [Outcome.REFUSED, Outcome.PROHIBITED, Outcome.UNANSWERED])
def test_connection_that_failed_for_one_and_was_made_for_the_other(failure: Outcome) -> None:
    captures = [a_capture(WEB, call(outcome=failure)), a_capture(API, call())]
    found = a_derivation(*OBJECTS, captures=captures)
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/api 8080/TCP established"]
    assert told(found.findings) == [
        ("captures-disagree", "captures/uid-api-1/run.pcap and captures/uid-web-1/run.pcap")
    ]
    (message,) = [item.message for item in found.findings if item.code == "captures-disagree"]
    assert f"was established by the first and {failure.value} by the second" in message
    assert "10.244.1.5 port 40000 -> 10.244.1.6 port 8080" in message


@pytest.mark.parametrize("other", [Outcome.UNKNOWN, Outcome.ESTABLISHED])
def test_one_that_cannot_tell_contradicts_nobody(other: Outcome) -> None:
    found = a_derivation(*OBJECTS, captures=[a_capture(WEB, call(outcome=other)), a_capture(API, call())])
    assert told(found.findings) == []


def test_disagreements_of_one_kind_are_one_finding() -> None:
    calls = [a_conversation(client_port=port, keys=(f"t{port}",)) for port in (40000, 40002, 40004)]
    refused = [item._replace(outcome=Outcome.REFUSED) for item in calls]
    found = a_derivation(*OBJECTS, captures=[a_capture(WEB, *refused), a_capture(API, *calls)])
    (finding,) = [item for item in found.findings if item.code == "captures-disagree"]
    assert "port 8080 and 2 more was established" in finding.message


def test_two_pods_that_both_served_one_connection() -> None:
    twins = call(server=address("10.244.1.7"))
    found = a_derivation(*OBJECTS, captures=[a_capture(API, call()), a_capture(TWIN, twins)])
    (finding,) = [item for item in found.findings if item.code == "captures-disagree"]
    assert "has both pods as its server" in finding.message


def test_two_pods_that_both_opened_one_connection() -> None:
    other = call(client=address("10.244.1.7"))
    found = a_derivation(*OBJECTS, captures=[a_capture(WEB, call()), a_capture(TWIN, other)])
    (finding,) = [item for item in found.findings if item.code == "captures-disagree"]
    assert "has both pods as its client" in finding.message


def test_capture_that_holds_none_of_its_pods_addresses() -> None:
    found = a_derivation(*OBJECTS, captures=[a_capture(TWIN, call())])
    assert told(found.findings) == [("capture-of-another", "pod shop/twin-1")]
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/api 8080/TCP established"]


def test_pods_whose_addresses_say_nothing_are_no_strangers() -> None:
    host, bare = a_pod("host-1", "172.18.0.2", host_network=True), a_pod("bare-1", addresses=())
    captures = [a_capture(pod, call()) for pod in (host, bare, "x")]
    found = a_derivation(*OBJECTS, host, bare, captures=captures)
    assert told(found.findings) == []


def test_new_sandbox_of_the_same_pod_had_another_address() -> None:
    moved = a_pod("web-1", "10.244.1.99")
    found = a_derivation(
        *OBJECTS, captures=[a_capture(WEB, call())], events=[an_event(moved, at=NOON + 30 * SECOND)]
    )
    assert told(found.findings) == []


def test_address_of_two_pods_at_once() -> None:
    heir = a_pod("heir-1", "10.244.1.5")
    found = a_derivation(*OBJECTS, heir, a_workload("heir"))
    assert told(found.findings) == [("address-contested", "address 10.244.1.5")]
    assert any("shop/heir-1, shop/web-1" in item.message for item in found.findings)


@pytest.mark.parametrize(
    "heir",
    [
        a_pod("heir-1", "10.244.1.5", deleting=True),
        a_pod("heir-1", "10.244.1.5", phase="Succeeded"),
        a_pod("heir-1", "10.244.1.5", host_network=True),
    ],
)
def test_pods_on_their_way_out_contest_nothing(heir: KubernetesObject) -> None:
    assert told(a_derivation(*OBJECTS, heir, a_workload("heir")).findings) == []


def test_owner_that_selects_none_of_its_pods() -> None:
    owner = a_workload("web", selector=labels_selector({"app": "elsewhere"}))
    assert told(a_derivation(WEB, owner).findings) == [("selector-misses-pods", "Deployment shop/web")]
