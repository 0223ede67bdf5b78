"""Who had an address is asked with a time; what was there during the run explains its traffic."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.timeline import SLACK, Timeline
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import (
    ControlPlaneCalls,
    Namespace,
    Node,
    ObjectKey,
    OwnerReference,
    Pod,
)
from kubectl_netpolgen.model.tiers import TierPolicy
from tests.factories import (
    NOON,
    SECOND,
    a_pod,
    a_policy,
    a_service,
    a_service_port,
    a_slice,
    a_timeline,
    a_workload,
    address,
    an_event,
    an_owner,
)
from tests.factories_declarations import a_backend, a_class, a_config_map, an_ingress

X = address("10.244.1.5")


def owner_at(timeline: Timeline, time: int, of: Address = X) -> str | None:
    """The name of the pod that had the address then."""
    pod = timeline.pod_at(of, time)
    return pod.name if pod is not None else None


def test_pod_has_its_addresses_of_both_families() -> None:
    timeline = a_timeline(a_pod("web-1", "10.244.1.5", "fd00::5"))
    assert owner_at(timeline, NOON) == "web-1"
    assert owner_at(timeline, NOON, address("fd00::5")) == "web-1"
    assert owner_at(timeline, NOON, address("10.244.1.6")) is None


def test_pod_has_no_address_before_it_was_created() -> None:
    timeline = a_timeline(a_pod("web-1", created=NOON))
    assert owner_at(timeline, NOON) == "web-1"
    assert owner_at(timeline, NOON - SLACK) == "web-1"
    assert owner_at(timeline, NOON - SLACK - 1) is None


def test_address_is_handed_on() -> None:
    old, new = a_pod("old-1"), a_pod("new-1", created=NOON + 20 * SECOND)
    timeline = a_timeline(
        old,
        events=[
            an_event(new, at=NOON + 21 * SECOND, type="ADDED"),
            an_event(old, at=NOON + 10 * SECOND, type="DELETED"),
        ],
    )
    assert owner_at(timeline, NOON) == "old-1"
    assert owner_at(timeline, NOON + 11 * SECOND) == "old-1"
    assert owner_at(timeline, NOON + 15 * SECOND) is None
    assert owner_at(timeline, NOON + 19 * SECOND) == "new-1"
    assert owner_at(timeline, NOON + 30 * SECOND) == "new-1"


def test_pod_that_is_still_there_keeps_its_address_until_the_next_is_seen_with_it() -> None:
    old, new = a_pod("old-1"), a_pod("new-1", created=NOON)
    timeline = a_timeline(
        old,
        events=[
            an_event(a_pod("new-1", created=NOON, addresses=()), at=NOON, type="ADDED"),
            an_event(new, at=NOON + 8 * SECOND),
            an_event(old, at=NOON + 9 * SECOND, type="DELETED"),
        ],
    )
    assert owner_at(timeline, NOON + 4 * SECOND) == "old-1"
    assert owner_at(timeline, NOON + 8 * SECOND) == "new-1"


def test_slice_that_lost_its_last_endpoint_still_explains_what_went_to_it() -> None:
    full, service = a_slice("web", a_pod("web-1")), a_service("web", "10.96.0.10")
    # the API server takes the ports away with the last endpoint
    empty = replace(full, endpoints=(), ports=())
    timeline = a_timeline(service, full, events=[an_event(empty)])
    assert timeline.slices_of(service) == (full,)
    timeline = a_timeline(service, empty, events=[an_event(full), an_event(empty)])
    assert timeline.slices_of(service) == (full,)


def test_recreated_pod_of_the_same_name_is_another_pod() -> None:
    first, second = a_pod("db-0", uid="u1"), a_pod("db-0", uid="u2", created=NOON)
    timeline = a_timeline(first, events=[an_event(first, type="DELETED"), an_event(second, type="ADDED")])
    assert timeline.tenant(X, NOON - 60 * SECOND) == "u1"
    assert timeline.tenant(X, NOON + 60 * SECOND) == "u2"


def test_pod_that_gets_new_addresses_leaves_the_old_ones() -> None:
    moved = a_pod("web-1", "10.244.1.9")
    timeline = a_timeline(a_pod("web-1"), events=[an_event(moved, at=NOON)])
    assert owner_at(timeline, NOON - SECOND) == "web-1"
    assert owner_at(timeline, NOON + 10 * SECOND) is None
    assert owner_at(timeline, NOON + 10 * SECOND, address("10.244.1.9")) == "web-1"


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_finished_pod_keeps_its_labels_and_loses_its_address(phase: str) -> None:
    assert owner_at(a_timeline(a_pod(phase=phase)), NOON) is None
    timeline = a_timeline(a_pod("job-1"), events=[an_event(a_pod("job-1", phase=phase), at=NOON)])
    assert owner_at(timeline, NOON - SECOND) == "job-1"
    assert owner_at(timeline, NOON + 10 * SECOND) is None
    assert "uid-job-1" in timeline.pods


def test_address_that_a_last_event_leaves_out_is_remembered() -> None:
    gone = a_pod("web-1", addresses=(), phase="Succeeded")
    timeline = a_timeline(a_pod("web-1"), events=[an_event(gone, at=NOON)])
    assert timeline.pods["uid-web-1"].addresses == (X,)


def test_pod_that_came_and_went_between_two_looks_is_known_by_its_deletion() -> None:
    brief = a_pod("job-1", created=NOON)
    timeline = a_timeline(events=[an_event(brief, at=NOON + 5 * SECOND, type="DELETED")])
    assert owner_at(timeline, NOON + SECOND) == "job-1"
    assert owner_at(timeline, NOON + 60 * SECOND) is None
    assert timeline.present == set()


def test_tombstone_ends_a_pod_without_wiping_what_was_known() -> None:
    tombstone = Pod(uid="uid-web-1", namespace="shop", name="web-1")
    timeline = a_timeline(a_pod("web-1"), events=[an_event(tombstone, at=NOON, type="DELETED")])
    assert owner_at(timeline, NOON - SECOND) == "web-1"
    assert owner_at(timeline, NOON + 60 * SECOND) is None
    assert timeline.pods["uid-web-1"].labels == {"app": "web"}


def test_host_network_pod_does_not_own_the_nodes_address() -> None:
    timeline = a_timeline(a_pod("agent-1", "172.18.0.2", host_network=True))
    assert owner_at(timeline, NOON, address("172.18.0.2")) is None
    assert timeline.node_at(address("172.18.0.2")) == "node-1"


def test_node_is_known_by_its_own_object_and_by_its_pods() -> None:
    timeline = a_timeline(
        a_pod("web-1", host_addresses=(address("172.18.0.9"),), node="node-9"),
        Node("node-2", (address("172.18.0.3"), address("fc00::3"))),
    )
    assert timeline.node_at(address("172.18.0.9")) == "node-9"
    assert timeline.node_at(address("fc00::3")) == "node-2"
    assert timeline.node_at(address("172.18.0.4")) is None


def test_services_that_share_an_address_are_all_there() -> None:
    shared = address("172.18.0.2")
    one, two = a_service("a", addresses=(shared,)), a_service("b", addresses=(shared,))
    assert a_timeline(two, one).services_at(shared) == (one, two)
    assert a_timeline(one).services_at(X) == ()


def test_service_that_was_made_anew_keeps_both_addresses_and_one_place_in_the_list() -> None:
    before, after = a_service("web", "10.96.0.10"), a_service("web", "10.96.0.99")
    timeline = a_timeline(
        before, events=[an_event(before, type="DELETED"), an_event(after, at=NOON + 1, type="ADDED")]
    )
    assert timeline.services_at(address("10.96.0.10")) == (before,)
    assert timeline.services_at(address("10.96.0.99")) == (after,)
    assert timeline.services == (after,)


def test_node_port_is_found_by_number_and_protocol() -> None:
    port = a_service_port(node_port=30080)
    timeline = a_timeline(a_service("web", ports=(port,)))
    assert timeline.node_port(30080, Protocol.TCP) == (a_service("web", ports=(port,)), port)
    assert timeline.node_port(30080, Protocol.UDP) is None


def test_endpoints_that_left_during_the_run_still_explain_packets_to_them() -> None:
    before, after = a_pod("web-1", "10.244.1.5"), a_pod("web-2", "10.244.1.6")
    timeline = a_timeline(a_slice("web", before), events=[an_event(a_slice("web", after))])
    (found,) = timeline.slices_of(a_service())
    assert {endpoint.pod_uid for endpoint in found.endpoints} == {"uid-web-1", "uid-web-2"}


def test_slices_belong_to_the_service_of_their_own_namespace() -> None:
    timeline = a_timeline(
        a_slice("web", name="a"), a_slice("web", namespace="other"), a_slice("api", name="b")
    )
    assert [item.name for item in timeline.slices_of(a_service("web"))] == ["a"]


def test_policies_are_those_of_the_end() -> None:
    timeline = a_timeline(
        a_policy("gone"),
        a_policy("kept"),
        events=[an_event(a_policy("gone"), type="DELETED"), an_event(a_policy("new"), type="ADDED")],
    )
    assert [policy.name for policy in timeline.policies] == ["kept", "new"]


def test_owner_chain_is_climbed_to_its_top() -> None:
    replica_set = a_workload("web-5d", kind="ReplicaSet", owner=an_owner("Deployment", "web"))
    pod = a_pod("web-5d-x", owner=an_owner("ReplicaSet", "web-5d"))
    timeline = a_timeline(pod, replica_set, a_workload("web"))
    assert timeline.top_owner(pod).key == ObjectKey("Deployment", "shop", "web")


def test_chain_stops_at_the_last_owner_that_is_known() -> None:
    replica_set = a_workload(
        "web-5d", kind="ReplicaSet", owner=OwnerReference("Rollout", "web", "uid-rollout")
    )
    pod = a_pod("web-5d-x", owner=an_owner("ReplicaSet", "web-5d"))
    assert a_timeline(pod, replica_set).top_owner(pod).key == ObjectKey("Rollout", "shop", "web")
    assert a_timeline(pod).top_owner(pod).key == ObjectKey("ReplicaSet", "shop", "web-5d")


def test_bare_and_static_pods_are_their_own_workloads() -> None:
    bare = a_pod("one", owner=None, labels={"a": "b"})
    static = a_pod("etcd-node-1", owner=OwnerReference("Node", "node-1", "n"))
    timeline = a_timeline(bare, static)
    assert timeline.top_owner(bare).key == ObjectKey("Pod", "shop", "one")
    assert timeline.top_owner(bare).template_labels == {"a": "b"}
    assert timeline.top_owner(static).key == ObjectKey("Pod", "shop", "etcd-node-1")


def test_owners_that_own_each_other_end_the_climb() -> None:
    one = a_workload("one", owner=an_owner("Deployment", "two"))
    two = a_workload("two", owner=an_owner("Deployment", "one"))
    pod = a_pod("one-1", owner=an_owner("Deployment", "one"))
    assert a_timeline(pod, one, two).top_owner(pod).key.kind == "Deployment"


def test_owner_deleted_during_the_run_still_owns() -> None:
    pod = a_pod("web-1")
    timeline = a_timeline(pod, a_workload("web"), events=[an_event(a_workload("web"), type="DELETED")])
    assert timeline.top_owner(pod).selector is not None
    assert [item.key.name for item in timeline.workloads] == ["web"]


def test_pods_of_a_workload_come_by_name() -> None:
    pods = [a_pod("web-2", "10.244.1.6"), a_pod("web-1"), a_pod("api-1", "10.244.1.7")]
    timeline = a_timeline(*pods, a_workload("web"))
    assert [pod.name for pod in timeline.pods_of(ObjectKey("Deployment", "shop", "web"))] == [
        "web-1",
        "web-2",
    ]


def test_namespaces_are_kept_as_last_seen() -> None:
    timeline = a_timeline(Namespace("shop", {"a": "1"}), events=[an_event(Namespace("shop", {"a": "2"}))])
    assert timeline.namespaces["shop"].labels == {"a": "2"}


@given(st.permutations(range(4)))
def test_events_come_in_any_order(order: list[int]) -> None:
    old, new = a_pod("old-1"), a_pod("new-1", created=NOON + 20 * SECOND)
    events = [
        an_event(old, at=NOON + 10 * SECOND, type="DELETED"),
        an_event(
            a_pod("new-1", created=NOON + 20 * SECOND, addresses=()), at=NOON + 20 * SECOND, type="ADDED"
        ),
        an_event(new, at=NOON + 22 * SECOND),
        an_event(new, at=NOON + 40 * SECOND, type="DELETED"),
    ]
    timeline = a_timeline(old, events=[events[number] for number in order])
    seen = [owner_at(timeline, NOON + number * SECOND) for number in (0, 5, 15, 25, 39, 60)]
    assert seen == ["old-1", "old-1", None, "new-1", "new-1", None]


def test_pod_that_had_ended_before_the_run_explains_what_tables_list_for_a_minute() -> None:
    ended = a_pod("job-1", "10.244.1.5", phase="Succeeded", created=NOON - 300 * SECOND)
    timeline = Timeline([ended], started=NOON)
    assert owner_at(timeline, NOON + 5 * SECOND) == "job-1"
    assert owner_at(timeline, NOON + 90 * SECOND) is None


def test_living_pod_has_the_address_of_one_that_had_ended() -> None:
    ended = a_pod("job-1", "10.244.1.5", phase="Failed", created=NOON - 10 * SECOND)
    living = a_pod("web-1", "10.244.1.5", created=NOON - 300 * SECOND)
    timeline = Timeline([living, ended], started=NOON)
    assert owner_at(timeline, NOON + SECOND) == "web-1"


def test_own_address_is_a_pods_own_whatever_the_clocks_say() -> None:
    pod = a_pod("web-1", "10.244.1.5", created=NOON)
    timeline = a_timeline(pod)
    assert X in timeline.own_addresses(pod.uid)
    assert owner_at(timeline, NOON - 3600 * SECOND) is None
    assert address("10.244.1.6") not in timeline.own_addresses(pod.uid)
    assert X not in timeline.own_addresses("uid-nobody")


def test_address_of_a_pod_on_the_nodes_network_is_the_nodes() -> None:
    pod = a_pod("agent-1", "10.89.0.11", host_network=True)
    assert address("10.89.0.11") not in a_timeline(pod).own_addresses(pod.uid)


def test_node_has_the_addresses_that_it_and_its_pods_name() -> None:
    node = Node("node1", addresses=(address("fd00::11"), address("10.89.0.11")))
    pod = a_pod("web-1", node="node1", host_addresses=(address("10.89.0.11"), address("10.90.0.11")))
    timeline = a_timeline(node, pod)
    assert timeline.node_addresses("node1") == ("10.89.0.11", "10.90.0.11", "fd00::11")
    assert timeline.node_addresses("node2") == ()


def test_pod_range_is_what_a_node_was_given() -> None:
    timeline = a_timeline(Node("node1", pod_ranges=("10.244.1.0/24", "fd00:1::/64")))
    assert timeline.in_pod_range(address("10.244.1.200"))
    assert timeline.in_pod_range(address("fd00:1::2"))
    assert not timeline.in_pod_range(address("10.244.2.1"))


def test_what_the_control_plane_calls_and_other_tiers_are_kept_by_kind_and_name() -> None:
    hook = ControlPlaneCalls("ValidatingWebhookConfiguration", "b", (("shop", "web", 443),))
    older = ControlPlaneCalls("ValidatingWebhookConfiguration", "b")
    api, tier = ControlPlaneCalls("APIService", "a"), TierPolicy("AdminNetworkPolicy", "x")
    timeline = a_timeline(older, hook, api, tier, tier)
    assert timeline.control_plane_calls == (api, hook)
    assert timeline.tier_policies == (tier,)


def test_what_declares_edges_is_what_was_there_at_the_end() -> None:
    ingress, conf = an_ingress(a_backend()), a_config_map()
    newer = an_ingress(a_backend("web"))
    events = [an_event(newer, at=NOON), an_event(conf, at=NOON, type="DELETED")]
    timeline = a_timeline(conf, ingress, a_class(), events=events)
    assert timeline.declaring == (newer, a_class())
    assert timeline.workloads == ()


def test_address_is_handed_on_unless_one_pod_had_it_from_the_start_to_the_end() -> None:
    stays, leaves, comes = (a_pod(f"p-{end}", f"10.244.1.{end}") for end in (5, 6, 7))
    timeline = a_timeline(
        stays,
        leaves,
        events=[
            an_event(leaves, at=NOON, type="DELETED"),
            an_event(comes, at=NOON, type="ADDED"),
            an_event(stays, at=NOON),
        ],
    )
    assert timeline.handed_on == {"10.244.1.6", "10.244.1.7"}


def test_only_tenancy_is_that_of_an_address_with_one_pod() -> None:
    heir = a_pod("heir-1", created=NOON)
    timeline = a_timeline(a_pod(), a_pod("api-1", "10.244.1.6"), events=[an_event(heir, type="ADDED")])
    assert timeline.only_tenancy(X) is None
    assert timeline.only_tenancy(address("10.244.1.9")) is None
    only = timeline.only_tenancy(address("10.244.1.6"))
    assert only is not None and only.uid == "uid-api-1"


def test_policies_select_pods_that_are_there_at_the_end_by_namespace_and_labels() -> None:
    gone = a_pod("web-9", "10.244.1.9")
    timeline = a_timeline(
        *(a_pod("web-1"), a_pod("web-2", "10.244.1.6", labels={"app": "web"}), gone),
        *(a_pod("far-1", "10.244.1.7", namespace="other", labels={"app": "web"}),),
        *(a_pod("job-1", phase="Succeeded"), a_pod("host-1", host_network=True)),
        events=[an_event(gone, type="DELETED")],
    )
    names = {
        (namespace, *sorted(labels)): [pod.name for pod in pods]
        for (namespace, labels), pods in timeline.selectable.items()
    }
    assert names == {
        ("shop", ("app", "web")): ["web-1", "web-2"],
        ("other", ("app", "web")): ["far-1"],
    }
