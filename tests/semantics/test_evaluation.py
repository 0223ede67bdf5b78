"""What NetworkPolicy says, rule by rule; numbers are those of networking.k8s.io/v1's documentation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector, Operator, Requirement, labels_selector
from kubectl_netpolgen.semantics.evaluation import (
    AllowedBy,
    ConnectionEnd,
    Evaluator,
    block_contains,
    port_matches,
)
from tests.factories import a_pod, a_policy, a_port, address
from tests.semantics.factories import policies

WEB = a_pod("web-1", "10.244.1.5", "fd00::5")
API = a_pod("api-1", "10.244.1.6", ports=(a_port(8080, "http"), a_port(5353, "dns", Protocol.UDP)))
FAR = a_pod("far-1", "10.244.2.7", namespace="other", labels={"app": "web"})
HOST = a_pod("host-1", "172.18.0.2", host_network=True)
OUTSIDE = ConnectionEnd(address("203.0.113.10"))
NAMESPACES = {"shop": {"team": "a"}, "other": {"team": "b"}}


def end(pod: Pod, number: int = 0) -> ConnectionEnd:
    """The pod at one of its addresses."""
    return ConnectionEnd(pod.addresses[number], pod)


FROM_WEB, TO_API = end(WEB), end(API)


def allows(
    *policies: NetworkPolicy,
    client: ConnectionEnd = FROM_WEB,
    server: ConnectionEnd = TO_API,
    protocol: Protocol = Protocol.TCP,
    port: int = 8080,
) -> bool:
    """Whether web may open a connection to api on 8080/TCP, or whatever is asked instead."""
    return Evaluator(policies, NAMESPACES).allowed(client, server, protocol, port)


def shut(
    *rules: Rule, pod: str = "api", types: tuple[PolicyType, ...] = (PolicyType.INGRESS,)
) -> NetworkPolicy:
    """A policy that isolates `app: POD` in one direction and has these rules there."""
    key = "ingress" if types == (PolicyType.INGRESS,) else "egress"
    return a_policy(pod, policy_types=types, **{key: rules})


def from_pods(**labels: str) -> Peer:
    """Pods of the policy's own namespace."""
    return Peer(pod_selector=labels_selector(labels))


def test_pod_that_no_policy_selects_is_open() -> None:
    assert allows()
    assert allows(shut(pod="somebody-else"))


def test_policy_of_another_namespace_selects_nobody_here() -> None:
    assert allows(a_policy("api", namespace="other"))


def test_selected_pod_is_isolated_in_the_policys_direction_alone() -> None:
    assert not allows(shut())
    assert allows(shut(), client=end(API), server=end(WEB))
    assert allows(shut(types=(PolicyType.EGRESS,)))
    assert not allows(shut(types=(PolicyType.EGRESS,)), client=end(API), server=end(WEB))


def test_rules_of_a_direction_that_the_policy_does_not_have_are_ignored() -> None:
    policy = a_policy("api", policy_types=(PolicyType.EGRESS,), ingress=(Rule(ports=(PolicyPort(port=1),)),))
    assert allows(policy)


def test_both_ends_must_agree() -> None:
    out = shut(Rule(peers=(from_pods(app="api"),)), pod="web", types=(PolicyType.EGRESS,))
    assert allows(out)
    assert not allows(out, shut())
    assert allows(out, shut(Rule(peers=(from_pods(app="web"),))))


def test_policies_add_up_and_their_order_does_not_matter() -> None:
    closed, opened = shut(), shut(Rule())
    assert allows(closed, opened)
    assert allows(opened, closed)


def test_isolation_covers_every_protocol() -> None:
    policy = shut(Rule(ports=(PolicyPort(Protocol.SCTP, 80),)))
    assert not allows(policy)
    assert not allows(policy, protocol=Protocol.UDP)
    assert allows(policy, protocol=Protocol.SCTP, port=80)


def test_rule_needs_its_peer_and_its_port_together() -> None:
    policy = shut(Rule(peers=(from_pods(app="web"),), ports=(PolicyPort(port=8080),)))
    assert allows(policy)
    assert not allows(policy, port=8081)
    assert not allows(policy, client=OUTSIDE)


def test_rule_without_peers_admits_the_outside_too() -> None:
    assert allows(shut(Rule(ports=(PolicyPort(port=8080),))), client=OUTSIDE)


@pytest.mark.parametrize(
    ("namespace", "pods", "admitted"),
    [
        (None, {}, {"web"}),
        (None, {"app": "web"}, {"web"}),
        (None, {"app": "x"}, set()),
        ({}, None, {"web", "far"}),
        ({}, {}, {"web", "far"}),
        ({}, {"app": "web"}, {"web", "far"}),
        ({"team": "b"}, None, {"far"}),
        ({"team": "b"}, {}, {"far"}),
        ({"team": "b"}, {"app": "web"}, {"far"}),
        ({"team": "b"}, {"app": "x"}, set()),
        ({"kubernetes.io/metadata.name": "other"}, None, {"far"}),
    ],
)
def test_peer_table(
    namespace: dict[str, str] | None, pods: dict[str, str] | None, admitted: set[str]
) -> None:
    peer = Peer(
        pod_selector=None if pods is None else labels_selector(pods),
        namespace_selector=None if namespace is None else labels_selector(namespace),
    )
    policy = shut(Rule(peers=(peer,)))
    found = {
        name
        for name, client in {"web": end(WEB), "far": end(FAR), "outside": OUTSIDE, "host": end(HOST)}.items()
        if allows(policy, client=client)
    }
    assert found == admitted


def test_selectors_of_one_peer_must_both_hold_and_two_peers_are_alternatives() -> None:
    here, there = from_pods(app="web"), Peer(namespace_selector=labels_selector({"team": "b"}))
    both = Peer(pod_selector=labels_selector({"app": "x"}), namespace_selector=labels_selector({"team": "b"}))
    assert allows(shut(Rule(peers=(here, there))), client=end(FAR))
    assert allows(shut(Rule(peers=(here, there))), client=end(WEB))
    assert not allows(shut(Rule(peers=(both,))), client=end(FAR))


def test_not_in_holds_for_pods_without_the_key() -> None:
    peer = Peer(pod_selector=LabelSelector((), (Requirement("tier", Operator.NOT_IN, ("x",)),)))
    assert allows(shut(Rule(peers=(peer,))))


def test_namespace_that_nobody_described_still_has_its_name_as_a_label() -> None:
    stranger = a_pod("far-2", "10.244.2.8", namespace="unheard-of")
    peer = Peer(namespace_selector=labels_selector({"kubernetes.io/metadata.name": "unheard-of"}))
    assert allows(shut(Rule(peers=(peer,))), client=end(stranger))


@pytest.mark.parametrize(
    ("item", "protocol", "port", "matches"),
    [
        (PolicyPort(Protocol.TCP), Protocol.TCP, 1, True),
        (PolicyPort(Protocol.TCP), Protocol.UDP, 1, False),
        (PolicyPort(Protocol.TCP, 8080), Protocol.TCP, 8080, True),
        (PolicyPort(Protocol.TCP, 8080), Protocol.TCP, 8081, False),
        (PolicyPort(Protocol.TCP, 8080), Protocol.UDP, 8080, False),
        (PolicyPort(Protocol.TCP, 8000, 8080), Protocol.TCP, 8000, True),
        (PolicyPort(Protocol.TCP, 8000, 8080), Protocol.TCP, 8080, True),
        (PolicyPort(Protocol.TCP, 8000, 8080), Protocol.TCP, 8081, False),
        (PolicyPort(Protocol.TCP, 8000, 8080), Protocol.TCP, 7999, False),
        (PolicyPort(Protocol.TCP, "http"), Protocol.TCP, 8080, True),
        (PolicyPort(Protocol.TCP, "http"), Protocol.TCP, 80, False),
        (PolicyPort(Protocol.UDP, "http"), Protocol.UDP, 8080, False),
        (PolicyPort(Protocol.UDP, "dns"), Protocol.UDP, 5353, True),
        (PolicyPort(Protocol.TCP, "dns"), Protocol.TCP, 5353, False),
        (PolicyPort(Protocol.TCP, "missing"), Protocol.TCP, 8080, False),
    ],
)
def test_ports(item: PolicyPort, protocol: Protocol, port: int, matches: bool) -> None:
    assert port_matches(item, protocol, port, API) is matches


def test_named_port_is_each_destination_pods_own() -> None:
    older = a_pod("api-0", "10.244.1.9", labels={"app": "api"}, ports=(a_port(9090, "http"),))
    into = shut(Rule(ports=(PolicyPort(port="http"),)))
    out = shut(Rule(ports=(PolicyPort(port="http"),)), pod="web", types=(PolicyType.EGRESS,))
    for policy in (into, out):
        assert allows(policy, port=8080)
        assert not allows(policy, port=9090)
        assert allows(policy, server=end(older), port=9090)
        assert not allows(policy, server=end(older), port=8080)


def test_named_port_means_nothing_outside_the_cluster() -> None:
    out = shut(Rule(ports=(PolicyPort(port="http"),)), pod="web", types=(PolicyType.EGRESS,))
    assert not allows(out, server=OUTSIDE)


@pytest.mark.parametrize(
    ("block", "text", "contained"),
    [
        (IPBlock("203.0.113.0/24"), "203.0.113.255", True),
        (IPBlock("203.0.113.0/24"), "203.0.114.0", False),
        (IPBlock("203.0.113.0/24", ("203.0.113.0/28",)), "203.0.113.10", False),
        (IPBlock("203.0.113.0/24", ("203.0.113.0/28",)), "203.0.113.16", True),
        (IPBlock("203.0.113.77/24"), "203.0.113.1", True),
        (IPBlock("0.0.0.0/0"), "2001:db8::1", False),
        (IPBlock("::/0"), "203.0.113.10", False),
        (IPBlock("2001:db8::/64"), "2001:db8::1", True),
        (IPBlock("2001:db8::1/128"), "2001:db8::1", True),
    ],
)
def test_blocks_hold_one_family_less_their_exceptions(block: IPBlock, text: str, contained: bool) -> None:
    assert block_contains(block, address(text)) is contained


def test_exception_of_one_block_may_be_allowed_by_another() -> None:
    hole = Peer(ip_block=IPBlock("203.0.113.0/24", ("203.0.113.10/32",)))
    whole = Peer(ip_block=IPBlock("203.0.113.10/32"))
    assert not allows(shut(Rule(peers=(hole,))), client=OUTSIDE)
    assert allows(shut(Rule(peers=(hole, whole))), client=OUTSIDE)


def test_block_matches_pods_by_the_address_that_is_used() -> None:
    four, six = (Rule(peers=(Peer(ip_block=IPBlock(cidr)),)) for cidr in ("10.244.0.0/16", "fd00::/8"))
    assert allows(shut(four), client=end(WEB, 0))
    assert not allows(shut(four), client=end(WEB, 1))
    assert allows(shut(six), client=end(WEB, 1))


def test_pod_selector_never_matches_the_outside() -> None:
    everyone = Peer(namespace_selector=LabelSelector())
    assert not allows(shut(Rule(peers=(everyone,))), client=OUTSIDE)


def test_pod_reaches_itself_but_not_its_twin() -> None:
    twin = a_pod("api-2", "10.244.1.7")
    assert allows(shut(), client=end(API), server=end(API))
    assert not allows(shut(), client=end(twin), server=end(API))


def test_host_network_pod_is_no_subject_and_no_selected_peer_but_an_address() -> None:
    assert allows(shut(pod="host"), server=end(HOST))
    assert not allows(shut(Rule(peers=(from_pods(app="host"),))), client=end(HOST))
    assert allows(shut(Rule(peers=(Peer(ip_block=IPBlock("172.18.0.2/32")),))), client=end(HOST))


def test_verdict_names_who_isolates_and_which_rule_allows() -> None:
    policy = shut(Rule(ports=(PolicyPort(port=1),)), Rule(peers=(from_pods(app="web"),)))
    verdict = Evaluator([policy, replace(a_policy("api"), name="deny")], NAMESPACES).ingress(
        end(WEB), end(API), Protocol.TCP, 8080
    )
    assert verdict.allowed
    assert verdict.isolated_by == ("shop/api", "shop/deny")
    assert verdict.allowed_by == (AllowedBy("shop/api", 2),)


@given(policies(), policies())
def test_more_policies_never_take_away_what_an_isolated_end_may_do(
    one: NetworkPolicy, two: NetworkPolicy
) -> None:
    for client, server in ((end(WEB), end(API)), (end(FAR), end(API)), (OUTSIDE, end(WEB))):
        alone = Evaluator([one], NAMESPACES).ingress(client, server, Protocol.TCP, 8080)
        both = Evaluator([one, two], NAMESPACES).ingress(client, server, Protocol.TCP, 8080)
        if alone.isolated_by and alone.allowed:
            assert both.allowed


BLOCKS = shut(
    Rule(
        peers=(
            Peer(ip_block=IPBlock("203.0.113.0/24", ("203.0.113.64/26",))),
            Peer(ip_block=IPBlock("fd00::/64")),
        )
    )
)


@pytest.mark.parametrize(
    "first, second, alike",
    [
        ("203.0.113.1", "203.0.113.63", True),
        ("203.0.113.63", "203.0.113.64", False),
        ("203.0.113.128", "203.0.113.255", True),
        ("203.0.113.255", "203.0.114.0", False),
        ("198.51.100.1", "10.0.0.1", True),
        ("198.51.100.1", "fe80::1", False),
        ("fd00::1", "fd00:0:0:1::", False),
    ],
)
def test_addresses_are_of_one_kind_between_the_bounds_of_cidrs(first: str, second: str, alike: bool) -> None:
    evaluator = Evaluator([BLOCKS], NAMESPACES)
    kinds = {evaluator.kind(ConnectionEnd(address(text))) for text in (first, second)}
    assert len(kinds) == (1 if alike else 2)


def test_pods_are_of_one_kind_by_namespace_labels_and_network() -> None:
    evaluator = Evaluator([BLOCKS], NAMESPACES)
    twin = a_pod("web-2", "10.244.1.9", labels=WEB.labels)
    assert evaluator.kind(end(twin)) == evaluator.kind(end(WEB))
    others = [FAR, API, replace(twin, uid="x", host_network=True), replace(twin, uid="y", labels={})]
    assert len({evaluator.kind(end(pod)) for pod in (WEB, *others)}) == 5
    inside = replace(twin, uid="z", addresses=(address("203.0.113.1"),))
    assert evaluator.kind(end(inside)) != evaluator.kind(end(WEB))
