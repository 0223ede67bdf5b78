"""Captures and tables on one clock, and a word on each that had another."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.analysis.alignment import moved, moved_networks, tell_clocks
from kubectl_netpolgen.analysis.clocks import Clock
from kubectl_netpolgen.analysis.derivation import derive_edges
from kubectl_netpolgen.analysis.shared_connections import Glance
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    NOON,
    SECOND,
    a_capture,
    a_conversation,
    a_derivation,
    a_network,
    a_pod,
    a_row,
    a_timeline,
    a_workload,
    an_event,
    edge_words,
    networks_of,
)

WEB, API = a_pod("web-1", "10.244.1.5"), a_pod("api-1", "10.244.1.6")
TIMELINE = a_timeline(WEB, API)
GLANCES = [Glance("web.pcap", WEB.uid, (), ()), Glance("api.pcap", API.uid, (), ())]
RIGHT = Clock()


def told(web: Clock, api: Clock = RIGHT) -> list[tuple[str, str]]:
    """Subject and message of each finding."""
    found = tell_clocks(GLANCES, {"web.pcap": web, "api.pcap": api}, TIMELINE)
    assert {item.code for item in found} <= {"clock-skew", "capture-times-odd"}
    return [(item.subject, item.message) for item in found]


def test_capture_is_moved_as_a_whole_and_only_when_off() -> None:
    capture = a_capture(WEB, a_conversation())
    assert moved(capture, Clock(SECOND)) is capture
    (item,) = moved(capture, Clock(60 * SECOND)).contents.conversations
    assert (item.first, item.last) == (NOON - 60 * SECOND, NOON - 59 * SECOND)


def test_sockets_have_the_clock_of_the_packets() -> None:
    networks = networks_of(a_network(WEB, a_row()), a_network(API, a_row()))
    clocks = {"web.pcap": Clock(60 * SECOND), "api.pcap": Clock()}
    found = moved_networks(networks, GLANCES, clocks)
    assert [found[uid].rows[0].time for uid in (WEB.uid, API.uid)] == [NOON - 60 * SECOND, NOON]


def test_finding_says_whose_clock_and_how_far() -> None:
    assert told(Clock(), Clock()) == []
    ((subject, message),) = told(Clock(300 * SECOND))
    assert subject == "pod shop/web-1"
    assert message == "its clock is 300 s ahead of the cluster's; its times were taken back by as much"
    ((_, message),) = told(Clock(-61 * SECOND, at_least=True))
    assert message.startswith("its clock is at least 61 s behind the cluster's; its times were taken forward")
    ((_, message),) = told(Clock(300 * SECOND, doubt=True))
    assert "nothing says which of them is right" in message
    ((subject, message),) = told(Clock(odd=True))
    assert subject == "pod shop/web-1"
    assert "by no offset" in message


def test_clock_is_a_nodes_where_its_captures_agree() -> None:
    off = Clock(300 * SECOND)
    assert [subject for subject, _ in told(off, off)] == ["node node-1"]
    assert [subject for subject, _ in told(off, Clock(310 * SECOND))] == ["pod shop/web-1", "pod shop/api-1"]


def test_address_that_was_handed_on_is_asked_for_by_the_right_clock() -> None:
    """Without it, a server whose clock is late would give the heir's calls to the former tenant."""
    heir = a_pod("heir-1", "10.244.1.5", created=NOON + 20 * SECOND)
    events = [an_event(WEB, at=NOON + 10 * SECOND, type="DELETED"), an_event(heir, at=NOON + 21 * SECOND)]
    calls = [
        a_conversation(
            client_port=port, keys=(f"t{port}",), first=NOON + at * SECOND, last=NOON + at * SECOND
        )
        for port, at in ((40000, 30), (40001, 40))
    ]
    late = [item._replace(first=item.first - 60 * SECOND, last=item.last - 60 * SECOND) for item in calls]
    objects: list[KubernetesObject] = [WEB, API, *map(a_workload, ("web", "api", "heir"))]
    found = a_derivation(*objects, captures=[a_capture(heir, *calls), a_capture(API, *late)], events=events)
    assert edge_words(found.edges) == ["shop/Deployment/heir -> shop/Deployment/api 8080/TCP established"]
    assert "clock-skew" in {item.code for item in found.findings}


def test_captures_that_must_be_read_twice_cannot_be_an_iterator() -> None:
    capture = a_capture(a_pod(created=NOON + 3600 * SECOND), a_conversation())
    timeline = a_timeline(a_pod(created=NOON + 3600 * SECOND))
    assert len(derive_edges([capture], {}, timeline).edges) == 1
    with pytest.raises(TypeError, match="read twice"):
        derive_edges(iter([capture]), {}, timeline)
