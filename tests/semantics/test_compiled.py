"""Compiled policies say what the literal evaluator says, pair by pair and direction by direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.semantics.compiled import BlocksAndPods, Compiled, blocks_hold
from kubectl_netpolgen.semantics.entries import Entry
from kubectl_netpolgen.semantics.evaluation import ConnectionEnd, Evaluator
from kubectl_netpolgen.semantics.members import Member
from kubectl_netpolgen.semantics.port_atoms import PortRange
from tests.factories import a_pod, a_policy, a_port, address
from tests.semantics.factories import KEYS, VALUES, policies

PORTS = (1, 53, 80, 8080, 65535)
OUTSIDE = ("203.0.113.10", "203.0.113.11", "8.8.8.8", "2001:db8::1", "fd00::77")


def members_of(pods: Sequence[Pod]) -> list[Member]:
    return [Member(pod.namespace, pod.labels, pod.ports, pod.host_network, pod.addresses[0]) for pod in pods]


@st.composite
def pods(draw: st.DrawFn, number: int) -> Pod:
    declared = st.builds(
        lambda name, port, protocol: a_port(port, name, protocol),
        st.sampled_from(["http", "dns"]),
        st.sampled_from([53, 80, 8080]),
        st.sampled_from(Protocol),
    )
    return a_pod(
        f"p-{number}",
        draw(st.sampled_from([f"10.244.1.{number}", f"203.0.113.{number + 9}", f"fd00::{number}"])),
        namespace=draw(st.sampled_from(["shop", "other"])),
        labels=draw(st.dictionaries(KEYS, VALUES, max_size=2)),
        ports=tuple(draw(st.lists(declared, max_size=2, unique_by=lambda port: (port.name, port.protocol)))),
        host_network=draw(st.sampled_from([False, False, False, True])),
    )


CLUSTERS = st.tuples(*(pods(number) for number in range(1, 5)))
NAMESPACES = st.fixed_dictionaries({"shop": st.dictionaries(KEYS, VALUES, max_size=2)})


@settings(max_examples=300)
@given(st.lists(policies(), max_size=4), CLUSTERS, NAMESPACES)
def test_every_verdict_is_that_of_the_literal_evaluator(
    found: list[NetworkPolicy], cluster: tuple[Pod, ...], namespaces: dict[str, dict[str, str]]
) -> None:
    literal = Evaluator(found, namespaces)
    asked = [PortRange(protocol, port, port) for protocol in Protocol for port in PORTS]
    compiled = Compiled(found, members_of(cluster), namespaces, ports=asked)
    of, atoms = compiled.classes.of, compiled.ports
    ends = [ConnectionEnd(pod.addresses[0], pod) for pod in cluster]
    for protocol, port, _ in asked:
        bit = 1 << atoms.atom(protocol, port)
        for i, source in enumerate(ends):
            for j, destination in enumerate(ends):
                if i != j:
                    expected = literal.allowed(source, destination, protocol, port)
                    assert bool(compiled.between(of[i], of[j]) & bit) == expected
            for text in OUTSIDE:
                end, atom = ConnectionEnd(address(text)), compiled.addresses.atom(address(text))
                out = literal.egress(source, end, protocol, port)
                into = literal.ingress(end, source, protocol, port)
                assert bool(compiled.outside(PolicyType.EGRESS, of[i], atom) & bit) == out.allowed
                assert bool(compiled.outside(PolicyType.INGRESS, of[i], atom) & bit) == into.allowed
                standing = compiled.standing(PolicyType.EGRESS, of[i])
                isolating = standing.policies if standing is not None else ()
                names = sorted(f"{item.namespace}/{item.name}" for item in isolating)
                assert names == sorted(out.isolated_by)


WEB, API = a_pod("web-1", "10.244.1.5"), a_pod("api-1", "10.244.1.6", ports=(a_port(8080, "http"),))
OTHER = a_pod("api-2", "10.244.1.7", labels={"app": "api"}, ports=(a_port(9090, "http"),))


def compiled(*found: NetworkPolicy, blocks: BlocksAndPods = BlocksAndPods.MATCH) -> Compiled:
    return Compiled(found, members_of([WEB, API, OTHER]), {}, blocks=blocks)


def test_replicas_fall_together_and_only_what_is_asked_about_tells_pods_apart() -> None:
    twins = [a_pod(f"web-{n}", f"10.244.1.{n}", labels={"app": "web", "run": str(n)}) for n in range(1, 9)]
    found = Compiled([a_policy("web")], members_of([*twins, API]), {})
    assert found.classes.of == [0] * 8 + [1]
    assert found.classes.sizes == [8, 1]


def test_open_end_allows_everything() -> None:
    found = compiled()
    assert found.entries(PolicyType.INGRESS, 0) == (Entry(found.ports.all, 1, found.addresses.all),)
    assert found.standing(PolicyType.INGRESS, 0) is None


def test_isolated_end_without_rules_allows_nothing() -> None:
    found = compiled(a_policy("web", policy_types=(PolicyType.INGRESS,)))
    assert found.entries(PolicyType.INGRESS, found.classes.of[0]) == ()


def test_port_by_name_is_each_pods_own_number_in_both_directions() -> None:
    rule = Rule(ports=(PolicyPort(port="http"),))
    out = compiled(a_policy("web", policy_types=(PolicyType.EGRESS,), egress=(rule,)))
    into = compiled(
        a_policy("any", pod_selector=LabelSelector(), policy_types=(PolicyType.INGRESS,), ingress=(rule,))
    )
    for found in (out, into):
        web, api, other = found.classes.of
        assert found.ports.ranges(found.between(web, api)) == {Protocol.TCP: ((8080, 8080),)}
        assert found.ports.ranges(found.between(web, other)) == {Protocol.TCP: ((9090, 9090),)}
    assert out.outside(PolicyType.EGRESS, out.classes.of[0], 0) == 0


@pytest.mark.parametrize("blocks", BlocksAndPods)
def test_block_means_pods_or_does_not(blocks: BlocksAndPods) -> None:
    rule = Rule(peers=(Peer(ip_block=IPBlock("10.244.0.0/16")),))
    found = compiled(a_policy("api", policy_types=(PolicyType.INGRESS,), ingress=(rule,)), blocks=blocks)
    web, api, _ = found.classes.of
    assert bool(found.between(web, api)) is (blocks is BlocksAndPods.MATCH)
    inside = found.addresses.atom(address("10.244.9.9"))
    assert found.outside(PolicyType.INGRESS, api, inside) == found.ports.all


def test_policies_that_select_the_same_pods_are_merged_and_each_keeps_its_rules() -> None:
    rules = [Rule(ports=(PolicyPort(port=number),)) for number in (1, 2)]
    one, two = (
        replace(a_policy("api", policy_types=(PolicyType.INGRESS,), ingress=(rule,)), name=name)
        for name, rule in zip(("one", "two"), rules, strict=True)
    )
    found = compiled(one, two)
    web, api, _ = found.classes.of
    assert found.ports.ranges(found.between(web, api)) == {Protocol.TCP: ((1, 2),)}
    standing = found.standing(PolicyType.INGRESS, api)
    assert standing is not None
    assert [(rule.policy.name, rule.number) for rule in standing.rules] == [
        ("one", 1),
        ("two", 1),
    ]


def test_it_matters_whether_a_block_means_pods_where_one_holds_some() -> None:
    held = a_policy("x", ingress=(Rule((Peer(ip_block=IPBlock("10.244.1.0/24", ("10.244.1.6/32",))),)),))
    inside, hole = (
        Member("shop", address=address("10.244.1.5")),
        Member("shop", address=address("10.244.1.6")),
    )
    assert blocks_hold([held], [hole, inside])
    assert not blocks_hold([held], [hole, Member("shop")])
    assert not blocks_hold([], [inside])
