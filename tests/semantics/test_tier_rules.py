"""Tiers in their order: compiled they say what the literal reading of the API says, pair by pair."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.model.tiers import Action, Tier, TierPeer, TierPolicy, TierPort, TierRule
from kubectl_netpolgen.semantics.compiled import BlocksAndPods, Compiled
from kubectl_netpolgen.semantics.evaluation import ConnectionEnd, Evaluator
from kubectl_netpolgen.semantics.members import Member
from kubectl_netpolgen.semantics.port_atoms import PortRange
from tests.factories import a_pod, a_policy, a_port, address
from tests.semantics.factories import policies, selectors
from tests.semantics.test_compiled import CLUSTERS, NAMESPACES, OUTSIDE, PORTS, members_of
from tests.semantics.tier_oracle import allowed

NETWORKS = st.sampled_from(["10.244.1.0/31", "203.0.113.0/24", "0.0.0.0/0", "fd00::/8", "::/0"])
TIER_PORTS = st.one_of(
    st.builds(
        lambda protocol, ends: TierPort(protocol, *sorted(ends)),
        st.sampled_from(Protocol),
        st.tuples(st.sampled_from(PORTS), st.sampled_from(PORTS)),
    ),
    st.builds(lambda name: TierPort(name=name), st.sampled_from(["http", "dns"])),
)
PODS = st.builds(TierPeer, selectors(), st.none() | selectors())
ADDRESSES = st.builds(
    lambda found: TierPeer(networks=tuple(found)), st.lists(NETWORKS, min_size=1, max_size=2)
)


def rules(peers: st.SearchStrategy[TierPeer]) -> st.SearchStrategy[tuple[TierRule, ...]]:
    one = st.builds(
        TierRule,
        st.sampled_from(Action),
        st.lists(peers, max_size=2).map(tuple),
        st.lists(TIER_PORTS, max_size=2).map(tuple),
    )
    return st.lists(one, max_size=3).map(tuple)


TIERS = st.lists(
    st.builds(
        TierPolicy,
        st.just("ClusterNetworkPolicy"),
        st.uuids().map(str),
        st.sampled_from(Tier),
        st.integers(0, 2),
        selectors(),
        st.none() | selectors(),
        rules(PODS),
        rules(PODS | ADDRESSES),
    ),
    max_size=3,
)


@settings(max_examples=300)
@given(TIERS, st.lists(policies(), max_size=2), CLUSTERS, NAMESPACES)
def test_every_verdict_is_that_of_the_literal_reading(
    tiers: list[TierPolicy],
    found: list[NetworkPolicy],
    cluster: tuple[Pod, ...],
    namespaces: dict[str, dict[str, str]],
) -> None:
    literal = Evaluator(found, namespaces)
    asked = [PortRange(protocol, port, port) for protocol in Protocol for port in PORTS]
    compiled = Compiled(found, members_of(cluster), namespaces, ports=asked, tiers=tiers)
    of = compiled.classes.of
    ends = [ConnectionEnd(pod.addresses[0], pod) for pod in cluster]

    def judged(
        one: ConnectionEnd, other: ConnectionEnd, protocol: Protocol, port: int, direction: PolicyType
    ) -> bool:
        return allowed(tiers, literal, namespaces, one, other, protocol, port, direction)

    for protocol, port, _ in asked:
        bit = 1 << compiled.ports.atom(protocol, port)
        for i, source in enumerate(ends):
            for j, destination in enumerate(ends):
                if i != j:
                    expected = all(judged(source, destination, protocol, port, item) for item in PolicyType)
                    assert bool(compiled.between(of[i], of[j]) & bit) is expected
            for text in OUTSIDE:
                end, atom = ConnectionEnd(address(text)), compiled.addresses.atom(address(text))
                out = judged(source, end, protocol, port, PolicyType.EGRESS)
                into = judged(end, source, protocol, port, PolicyType.INGRESS)
                assert bool(compiled.outside(PolicyType.EGRESS, of[i], atom) & bit) is out
                assert bool(compiled.outside(PolicyType.INGRESS, of[i], atom) & bit) is into


WEB, API = a_pod("web-1", "10.244.1.5"), a_pod("api-1", "10.244.1.6", ports=(a_port(8080, "http"),))
ALL = TierPeer(LabelSelector())
DENIED = a_policy("api", policy_types=(PolicyType.INGRESS,))
OPEN = a_policy("api", policy_types=(PolicyType.INGRESS,), ingress=(Rule(),))


def a_tier(*rules: TierRule, tier: Tier = Tier.ADMIN, name: str = "x", priority: int = 0) -> TierPolicy:
    return TierPolicy("ClusterNetworkPolicy", name, tier, priority, ingress=rules)


def open_to_api(*tiers: TierPolicy, policies: tuple[NetworkPolicy, ...] = ()) -> bool:
    found = Compiled(policies, members_of([WEB, API]), {}, tiers=tiers)
    web, api = found.classes.of if len(set(found.classes.of)) > 1 else (0, 0)
    return bool(found.between(web, api))


ACCEPT, DENY, PASS = (TierRule(action, (ALL,)) for action in (Action.ACCEPT, Action.DENY, Action.PASS))


def test_the_admin_tier_comes_before_network_policies() -> None:
    assert not open_to_api(a_tier(DENY), policies=(OPEN,))
    assert open_to_api(a_tier(ACCEPT), policies=(DENIED,))


def test_who_passes_is_judged_by_network_policies_next() -> None:
    assert not open_to_api(a_tier(PASS, ACCEPT), policies=(DENIED,))
    assert open_to_api(a_tier(PASS, DENY), policies=(OPEN,))


def test_the_baseline_is_for_pods_that_no_network_policy_selects() -> None:
    baseline = a_tier(DENY, tier=Tier.BASELINE)
    assert not open_to_api(baseline)
    assert open_to_api(baseline, policies=(OPEN,))


def test_the_lower_priority_comes_first() -> None:
    assert open_to_api(a_tier(DENY, priority=2), a_tier(ACCEPT, priority=1))
    assert not open_to_api(a_tier(DENY, priority=1), a_tier(ACCEPT, priority=2))


def test_rules_of_a_class_are_told_in_order_with_their_numbers() -> None:
    found = Compiled(
        (), members_of([WEB]), {}, tiers=(a_tier(PASS, DENY), a_tier(ACCEPT, name="y", priority=1))
    )
    told = [
        (item.policy.name, item.number, item.action)
        for item in found.tiers.rules(Tier.ADMIN, PolicyType.INGRESS, 0)
    ]
    assert told == [("x", 1, Action.PASS), ("x", 2, Action.DENY), ("y", 1, Action.ACCEPT)]
    assert list(found.tiers.rules(Tier.BASELINE, PolicyType.INGRESS, 0)) == []


def test_networks_mean_pods_though_ip_blocks_do_not() -> None:
    out = TierPolicy(
        "ClusterNetworkPolicy", "x", egress=(TierRule(Action.DENY, (TierPeer(networks=("10.244.0.0/16",)),)),)
    )
    members = [Member("shop", address=address("10.244.1.5")), Member("data", address=address("10.244.1.6"))]
    found = Compiled((), members, {}, tiers=(out,), blocks=BlocksAndPods.IGNORE)
    assert not found.between(*found.classes.of)
