"""The difference is what two lists of everything allowed do not have in common."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey, Pod
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.model.tiers import TierPolicy
from kubectl_netpolgen.semantics.compiled import BlocksAndPods, Compiled
from kubectl_netpolgen.semantics.connectivity import Connectivity, End, all_ports
from kubectl_netpolgen.semantics.difference import (
    Change,
    ChangeKind,
    Difference,
    Relation,
    Side,
    relation_of,
)
from kubectl_netpolgen.semantics.subjects import cast_of
from tests.factories import a_pod, a_policy
from tests.semantics.factories import policies
from tests.semantics.test_compiled import CLUSTERS, NAMESPACES, OUTSIDE
from tests.semantics.test_tier_rules import TIERS

Labels = Mapping[str, Mapping[str, str]]
POLICIES = st.lists(policies(), max_size=3)


def a_side(
    pods: Sequence[Pod],
    policies: Sequence[NetworkPolicy] = (),
    tiers: Sequence[TierPolicy] = (),
    namespaces: Labels | None = None,
    of: Sequence[str] = (),
) -> Side:
    owners = {
        pod.uid: ObjectKey("Deployment", pod.namespace, name) for pod, name in zip(pods, of, strict=False)
    }
    cast = cast_of(Manifests(pods=tuple(pods), owners=owners))
    return Side(cast, tuple(policies), tuple(tiers), namespaces)


PLACES = tuple(ipaddress.ip_address(text) for text in (*OUTSIDE, "10.244.1.200", "fd00::1:1", "0.0.0.0"))


def ends_of(end: End) -> list[object]:
    """A workload, or the sampled addresses of a range."""
    if isinstance(end, ObjectKey):
        return [end]
    first, last = (ipaddress.ip_address(text) for text in end)
    return [place for place in PLACES if place.version == first.version and first <= place <= last]  # type: ignore[operator]


def told(items: Iterable[tuple[End, End, object]]) -> dict[tuple[object, object], object]:
    """What is said of each pair, and that nothing is said twice."""
    pairs = [
        ((source, destination), said)
        for first, second, said in items
        for source in ends_of(first)
        for destination in ends_of(second)
    ]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def allowed(side: Side, blocks: BlocksAndPods) -> dict[tuple[object, object], object]:
    compiled = Compiled(
        side.policies, side.cast.members, side.namespaces or {}, blocks=blocks, tiers=side.tiers
    )
    return told(Connectivity(compiled, side.cast))


NAMES = st.lists(st.sampled_from("abc"), min_size=4, max_size=4)


@settings(max_examples=150)
@given(
    st.tuples(POLICIES, POLICIES),
    st.tuples(CLUSTERS, CLUSTERS),
    st.tuples(NAMESPACES, NAMESPACES),
    st.tuples(TIERS, TIERS) | st.just(((), ())),
    st.tuples(NAMES, NAMES),
    st.sampled_from(BlocksAndPods),
    st.booleans(),
)
def test_it_is_what_two_lists_do_not_have_in_common(
    found: tuple[list[NetworkPolicy], list[NetworkPolicy]],
    clusters: tuple[tuple[Pod, ...], tuple[Pod, ...]],
    namespaces: tuple[Labels, Labels],
    tiers: tuple[list[TierPolicy], list[TierPolicy]],
    of: tuple[list[str], list[str]],
    blocks: BlocksAndPods,
    same: bool,
) -> None:
    sides = [
        a_side(clusters[0 if same else place], found[place], tiers[place], namespaces[place], of[place])
        for place in (0, 1)
    ]
    before, after = (allowed(side, blocks) for side in sides)
    changes = list(Difference(*sides, blocks=blocks))
    expected = {
        pair: (before.get(pair, {}), after.get(pair, {}))
        for pair in {**before, **after}
        if before.get(pair, {}) != after.get(pair, {})
    }
    assert told((item.source, item.destination, (item.before, item.after)) for item in changes) == expected
    assert not any(Difference(sides[0], sides[0], blocks=blocks))
    for item in changes:
        assert item.gains or item.loses
        assert (item.kind is ChangeKind.ADDED) == (not item.before)
        assert (item.kind is ChangeKind.REMOVED) == (not item.after)


WEB, API = a_pod("web-1", "10.244.1.5"), a_pod("api-1", "10.244.1.6")
FROM_WEB = Peer(pod_selector=labels_selector({"app": "web"}))


def into_api(*ports: int) -> NetworkPolicy:
    rule = Rule((FROM_WEB,), tuple(PolicyPort(port=port) for port in ports))
    return a_policy("api", policy_types=(PolicyType.INGRESS,), ingress=(rule,) if ports else ())


def between_pods(before: Side, after: Side, *, selves: bool = False) -> list[Change]:
    return [
        item
        for item in Difference(before, after, selves=selves)
        if isinstance(item.source, ObjectKey) and isinstance(item.destination, ObjectKey)
    ]


def of(*found: NetworkPolicy, pods: tuple[Pod, ...] = (WEB, API)) -> Side:
    return a_side(pods, found)


def test_a_change_says_what_became_of_a_pair() -> None:
    (gain,) = between_pods(of(into_api()), of(into_api(80)))
    assert (gain.kind, gain.gains, gain.loses) == (ChangeKind.ADDED, True, False)
    assert (gain.before, gain.after) == ({}, {Protocol.TCP: ((80, 80),)})
    (loss,) = between_pods(of(into_api(80)), of(into_api()))
    assert (loss.kind, loss.gains, loss.loses) == (ChangeKind.REMOVED, False, True)
    (change,) = between_pods(of(into_api(80, 81)), of(into_api(81, 82)))
    assert (change.kind, change.gains, change.loses) == (ChangeKind.CHANGED, True, True)
    assert (change.source.name, change.destination.name) == ("web-1", "api-1")  # type: ignore[union-attr]


def test_all_changes_in_one_word() -> None:
    def relation(one: Side, other: Side) -> Relation:
        return relation_of(Difference(one, other))

    assert relation(of(into_api(80)), of(replace(into_api(80), name="other"))) is Relation.EQUIVALENT
    assert relation(of(into_api(80, 81)), of(into_api(80))) is Relation.TIGHTER
    assert relation(of(into_api(80)), of()) is Relation.LOOSER
    assert relation(of(into_api(80)), of(into_api(81))) is Relation.INCOMPARABLE


def test_who_is_on_one_side_only_is_allowed_nothing_on_the_other() -> None:
    found = list(Difference(of(), of(pods=(WEB,))))
    assert {item.kind for item in found} == {ChangeKind.REMOVED}
    assert all(all_ports(item.before) for item in found)
    ends = {
        end.name for item in found for end in (item.source, item.destination) if isinstance(end, ObjectKey)
    }
    assert ends == {"web-1", "api-1"}
    # two pairs with each other, and both families out and in
    assert len(found) == 6


def test_with_selves_who_came_or_went_is_told_with_itself() -> None:
    found = between_pods(of(pods=(WEB,)), of(), selves=True)
    (own,) = [item for item in found if item.source == item.destination]
    assert (own.kind, own.source.name) == (ChangeKind.ADDED, "api-1")  # type: ignore[union-attr]
    assert not [
        item for item in between_pods(of(into_api()), of(), selves=True) if item.source == item.destination
    ]


def test_new_labels_are_other_verdicts_with_the_same_policies() -> None:
    moved = replace(API, labels={"app": "other"})
    cast = cast_of(Manifests(pods=(WEB, moved)), per_pod=True)
    before = replace(of(into_api(80)), cast=cast_of(Manifests(pods=(WEB, API)), per_pod=True))
    found = between_pods(before, replace(before, cast=cast))
    assert [(item.source.name, item.destination.name) for item in found] == [("web-1", "api-1")]  # type: ignore[union-attr]
    assert found[0].gains and not found[0].loses


def test_ranges_are_cut_where_either_side_changes() -> None:
    def out(text: str) -> Side:
        policy = a_policy(
            "web",
            policy_types=(PolicyType.EGRESS,),
            egress=(Rule((Peer(ip_block=IPBlock(text)),), (PolicyPort(port=443),)),),
        )
        return of(policy, pods=(WEB,))

    found = list(Difference(out("203.0.113.0/24"), out("203.0.113.0/25")))
    assert [(str(item.destination), item.kind) for item in found] == [
        ("203.0.113.128-203.0.113.255", ChangeKind.REMOVED)
    ]
