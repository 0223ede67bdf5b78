"""What policies tell apart is collected from every place that names it, of tiers too."""

from __future__ import annotations

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import IPBlock, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector
from kubectl_netpolgen.model.tiers import Action, TierPeer, TierPolicy, TierPort, TierRule
from kubectl_netpolgen.semantics.compiled import Compiled
from kubectl_netpolgen.semantics.distinctions import Distinctions, distinctions_of
from kubectl_netpolgen.semantics.members import Member
from kubectl_netpolgen.semantics.port_atoms import PortRange
from tests.factories import a_policy

BLOCK = IPBlock("203.0.113.0/24")
WEB, DB = labels_selector({"app": "web"}), labels_selector({"app": "db"})
POLICY = a_policy(
    "api",
    policy_types=tuple(PolicyType),
    ingress=(Rule((Peer(pod_selector=WEB),), (PolicyPort(port="http"), PolicyPort(port=80, end_port=90))),),
    egress=(Rule((Peer(ip_block=BLOCK),), (PolicyPort(Protocol.UDP, 53),)),),
)
TIER = TierPolicy(
    "ClusterNetworkPolicy",
    "x",
    pods=DB,
    egress=(
        TierRule(
            Action.DENY,
            (TierPeer(LabelSelector(), WEB), TierPeer(networks=("10.0.0.0/8",))),
            (TierPort(Protocol.TCP, 443, 443), TierPort(name="metrics")),
        ),
    ),
)


def test_network_policies_tell_apart_what_they_name() -> None:
    found = distinctions_of([POLICY])
    assert found.selectors == {POLICY.pod_selector, WEB}
    assert found.port_names == {"http"}
    assert found.blocks == {BLOCK}
    assert found.ports == {PortRange(Protocol.TCP, 80, 90), PortRange(Protocol.UDP, 53, 53)}
    assert not found.networks


def test_tiers_tell_apart_what_they_name() -> None:
    found = distinctions_of([], [TIER])
    assert found.selectors == {DB, WEB}
    assert found.port_names == {"metrics"}
    assert found.blocks == {IPBlock("10.0.0.0/8")}
    assert found.ports == {PortRange(Protocol.TCP, 443, 443)}
    assert found.networks


def test_both_together_are_what_either_tells_apart() -> None:
    both = distinctions_of([POLICY]) | distinctions_of([], [TIER])
    assert both == distinctions_of([POLICY], [TIER])
    assert both | Distinctions() == both


def test_what_another_set_tells_apart_is_apart_here_too() -> None:
    members = [Member("shop", {"app": name}) for name in ("web", "db")]
    alone = Compiled([], members, {})
    assert len(alone.classes.members) == 1
    beside = Compiled([], members, {}, beside=distinctions_of([POLICY]))
    other = Compiled([POLICY], members, {})
    assert beside.classes.of == other.classes.of == [0, 1]
    assert beside.ports.count == other.ports.count > alone.ports.count
    assert beside.addresses.count == other.addresses.count > alone.addresses.count
