"""All that is allowed: workloads by all their pods, the world outside in ranges, pods with themselves."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.model.manifests import Manifests, Template
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey, Pod
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.semantics.address_atoms import AddressRange
from kubectl_netpolgen.semantics.compiled import Compiled
from kubectl_netpolgen.semantics.connectivity import Connection, Connectivity, all_ports, focused
from kubectl_netpolgen.semantics.subjects import cast_of
from tests.factories import a_pod, a_policy, address
from tests.semantics.factories import policies
from tests.semantics.test_compiled import CLUSTERS, NAMESPACES

WEB, API = ObjectKey("Deployment", "shop", "web"), ObjectKey("Deployment", "shop", "api")
TEMPLATES = Manifests(templates=(Template(WEB, {"app": "web"}), Template(API, {"app": "api"})))
FROM_WEB = Peer(pod_selector=labels_selector({"app": "web"}))
HTTP = PolicyPort(port=8080)
SIX = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"


def answers(
    *policies: NetworkPolicy, manifests: Manifests = TEMPLATES, per_pod: bool = False
) -> Connectivity:
    cast = cast_of(manifests, per_pod=per_pod)
    return Connectivity(Compiled(policies, cast.members, {}), cast)


def told(connections: Connectivity) -> list[str]:
    """`web > api TCP 8080-8080`, one line a connection."""
    return [
        f"{_name(item.source)} > {_name(item.destination)} "
        + (
            "all"
            if all_ports(item.allowed)
            else ", ".join(
                f"{protocol.value} {first}-{last}"
                for protocol, ranges in item.allowed.items()
                for first, last in ranges
            )
        )
        for item in connections
    ]


def _name(end: object) -> str:
    return end.name if isinstance(end, ObjectKey) else str(end)


def into_api(*rules: Rule) -> NetworkPolicy:
    return a_policy("api", policy_types=(PolicyType.INGRESS,), ingress=rules)


def test_without_policies_everything_is_allowed_but_a_workload_is_no_pair_with_itself() -> None:
    everywhere = ["0.0.0.0-255.255.255.255", SIX]
    assert told(answers()) == [
        "api > web all",
        *(f"api > {text} all" for text in everywhere),
        "web > api all",
        *(f"web > {text} all" for text in everywhere),
        *(f"{text} > api all" for text in everywhere),
        *(f"{text} > web all" for text in everywhere),
    ]


def test_pair_has_the_ports_that_both_ends_allow_and_is_left_out_without_any() -> None:
    egress = a_policy(
        "web",
        policy_types=(PolicyType.EGRESS,),
        egress=(Rule(ports=(PolicyPort(port=8000, end_port=8080), PolicyPort(Protocol.UDP))),),
    )
    assert "web > api TCP 8080-8080" in told(answers(into_api(Rule((FROM_WEB,), (HTTP,))), egress))
    assert not any("> api" in line for line in told(answers(into_api())))


def test_world_outside_comes_in_ranges_cut_at_the_bounds_of_blocks() -> None:
    hole = IPBlock("203.0.113.0/24", ("203.0.113.64/26",))
    found = told(answers(into_api(Rule((Peer(ip_block=hole),), (HTTP,)), Rule(ports=(PolicyPort(port=53),)))))
    assert [line for line in found if " > api " in line and "web" not in line] == [
        "0.0.0.0-203.0.112.255 > api TCP 53-53",
        "203.0.113.0-203.0.113.63 > api TCP 53-53, TCP 8080-8080",
        "203.0.113.64-203.0.113.127 > api TCP 53-53",
        "203.0.113.128-203.0.113.255 > api TCP 53-53, TCP 8080-8080",
        "203.0.114.0-255.255.255.255 > api TCP 53-53",
        f"{SIX} > api TCP 53-53",
    ]


def test_workload_may_only_what_all_its_pods_may() -> None:
    pods = (a_pod("web-1", "10.244.1.5"), a_pod("web-2", "10.244.1.6", labels={"app": "canary"}))
    owners = {pod.uid: WEB for pod in pods}
    api = a_pod("api-1", "10.244.1.7")
    manifests = Manifests(pods=(*pods, api), owners=owners)
    policy = into_api(Rule((FROM_WEB,), (HTTP,)))
    assert not any(line.startswith("web > api") for line in told(answers(policy, manifests=manifests)))
    single = told(answers(policy, manifests=manifests, per_pod=True))
    assert "web-1 > api-1 TCP 8080-8080" in single
    assert not any(line.startswith("web-2 > api") for line in single)


def test_addresses_of_two_families_never_meet() -> None:
    web, api = a_pod("web-1", "10.244.1.5", "fd00::5"), a_pod("api-1", "10.244.1.6", "fd00::6")
    four, six = (Rule((Peer(ip_block=IPBlock(text)),), (HTTP,)) for text in ("10.244.1.5/32", "fd00::5/128"))
    manifests = Manifests(pods=(web, api))
    assert "web-1 > api-1 TCP 8080-8080" in told(answers(into_api(four, six), manifests=manifests))
    # over IPv6 it may not, and nobody knows which of the two it will be
    assert not any(
        line.startswith("web-1 >") and "api" in line
        for line in told(answers(into_api(four), manifests=manifests))
    )


def test_outside_of_one_family_needs_the_pods_of_that_family_only() -> None:
    both = a_pod("api-1", "10.244.1.6", "fd00::6")
    found = told(
        answers(into_api(Rule((Peer(ip_block=IPBlock("::/0")),), (HTTP,))), manifests=Manifests(pods=(both,)))
    )
    assert [line for line in found if "> api-1" in line] == [f"{SIX} > api-1 TCP 8080-8080"]


def test_nothing_keeps_a_pod_from_itself() -> None:
    deny = a_policy("any", pod_selector=labels_selector({}))
    selves = list(answers(deny).selves())
    assert [(item.source, item.destination) for item in selves] == [(API, API), (WEB, WEB)]
    assert all(all_ports(item.allowed) for item in selves)


def test_focus_keeps_what_begins_or_ends_there() -> None:
    where = AddressRange(address("203.0.113.9"), address("203.0.113.9"))
    items = [Connection(WEB, API, {}), Connection(API, where, {}), Connection(where, WEB, {})]
    assert list(focused(items, frozenset({"shop/web"}))) == [items[0], items[2]]
    assert list(focused(items, frozenset({"api"}))) == items[:2]
    assert list(focused(items, frozenset({"shop/Deployment/api", "203.0.113.9-203.0.113.9"}))) == items
    assert list(focused(items, frozenset({"shop/Pod/api"}))) == []


def test_pods_without_a_family_in_common_are_no_pair() -> None:
    pods = Manifests(pods=(a_pod("web-1", "10.244.1.5"), a_pod("api-1", "fd00::5")))
    assert not [line for line in told(answers(manifests=pods)) if "web" in line and "api" in line]


def test_who_is_isolated_is_so_to_both_families_whatever_its_addresses_are_today() -> None:
    pods = Manifests(pods=(a_pod("api-1", "10.244.1.5"),))
    assert not [line for line in told(answers(into_api(), manifests=pods)) if line.endswith("> api-1 all")]


@settings(max_examples=60)
@given(st.lists(policies(), max_size=4), CLUSTERS, NAMESPACES, st.lists(st.sampled_from("ab"), min_size=9))
def test_the_list_is_pair_by_pair_what_both_may(
    found: list[NetworkPolicy], cluster: tuple[Pod, ...], namespaces: dict[str, dict[str, str]], of: list[str]
) -> None:
    owners = {
        pod.uid: ObjectKey("Deployment", pod.namespace, name) for pod, name in zip(cluster, of, strict=False)
    }
    manifests = Manifests(pods=cluster, owners=owners)
    cast = cast_of(manifests)
    every = Connectivity(Compiled(found, cast.members, namespaces), cast)
    listed = {
        (item.source, item.destination): item.allowed
        for item in every
        if isinstance(item.source, ObjectKey) and isinstance(item.destination, ObjectKey)
    }
    pairs = permutations(cast.subjects, 2)
    expected = {(one.key, other.key): every.between(one, other) for one, other in pairs}
    assert set(listed) == {pair for pair, ports in expected.items() if ports}
    shown = every.compiled.ports.ranges
    assert all(allowed == shown(expected[pair]) for pair, allowed in listed.items())
