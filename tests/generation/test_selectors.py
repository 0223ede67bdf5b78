"""Which labels stand for a workload today and after its next roll-out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.generation.selectors import collateral, stable_labels, workload_selector
from kubectl_netpolgen.model.selector import LabelSelector, Operator, Requirement, labels_selector
from tests.factories import NOON, a_pod, a_timeline, a_workload, an_event, an_owner
from tests.generation.factories import key

VOLATILE = {
    "pod-template-hash": "5d",
    "controller-revision-hash": "x",
    "pod-template-generation": "1",
    "rollouts-pod-template-hash": "x",
    "controller-uid": "u",
    "job-name": "nightly-28618366",
    "batch.kubernetes.io/controller-uid": "u",
    "batch.kubernetes.io/job-name": "nightly-28618366",
    "batch.kubernetes.io/job-completion-index": "0",
    "statefulset.kubernetes.io/pod-name": "db-0",
    "apps.kubernetes.io/pod-index": "0",
    "topology.kubernetes.io/zone": "a",
    "topology.kubernetes.io/region": "a",
    "failure-domain.beta.kubernetes.io/zone": "a",
    "helm.sh/chart": "web-1.2.3",
    "app.kubernetes.io/version": "1.2.3",
}


def selector_of(workload: Any, *pods: Any) -> LabelSelector | None:
    """The selector for a workload in a cluster of it and its pods."""
    return workload_selector(workload.key, a_timeline(workload, *pods))


def test_labels_that_the_next_rollout_changes_are_dropped() -> None:
    assert stable_labels({**VOLATILE, "app": "web", "app.kubernetes.io/name": "web"}) == {
        "app": "web",
        "app.kubernetes.io/name": "web",
    }


@given(st.dictionaries(st.sampled_from([*VOLATILE, "app", "tier"]), st.text(max_size=3)))
def test_what_is_left_is_stable_and_nothing_else_is_lost(labels: dict[str, str]) -> None:
    stable = stable_labels(labels)
    assert stable_labels(stable) == stable
    assert stable.keys() == labels.keys() - VOLATILE.keys()


def test_owners_own_selector_is_preferred_to_its_pods_labels() -> None:
    pod = a_pod("web-1", labels={"app": "web", "tier": "front", "pod-template-hash": "5d"})
    assert selector_of(a_workload("web"), pod) == labels_selector({"app": "web"})


def test_selector_of_a_custom_resource_that_is_not_about_its_pods_gives_way_to_their_labels() -> None:
    owner = a_workload("web", kind="Database", selector=labels_selector({"backup": "nightly"}))
    pod = a_pod("web-1", labels={"db": "web"}, owner=an_owner("Database", "web"))
    assert selector_of(owner, pod) == labels_selector({"db": "web"})
    assert selector_of(owner) == labels_selector({"backup": "nightly"})


def test_expressions_of_the_owner_are_kept_and_volatile_ones_dropped() -> None:
    kept = Requirement("tier", Operator.IN, ("a", "b"))
    dropped = Requirement("topology.kubernetes.io/zone", Operator.EXISTS)
    workload = a_workload("web", selector=LabelSelector((), (kept, dropped)))
    assert selector_of(workload) == LabelSelector((), (kept,))


@pytest.mark.parametrize("kind", ["Job", "CronJob"])
def test_jobs_go_by_their_template_since_their_selector_names_one_run(kind: str) -> None:
    workload = a_workload(
        "nightly",
        kind=kind,
        selector=labels_selector({"batch.kubernetes.io/controller-uid": "u"}),
        template_labels={"app": "nightly", "job-name": "nightly-1", "controller-uid": "u"},
    )
    assert selector_of(workload) == labels_selector({"app": "nightly"})


def test_job_without_labels_of_its_own_has_no_selector() -> None:
    workload = a_workload(
        "nightly", kind="Job", selector=None, template_labels={"job-name": "nightly-1", "controller-uid": "u"}
    )
    pod = a_pod("nightly-1", labels={"job-name": "nightly-1"}, owner=an_owner("Job", "nightly"))
    assert selector_of(workload, pod) is None


def test_selector_of_volatile_labels_alone_gives_way_to_the_template() -> None:
    workload = a_workload("web", selector=labels_selector({"pod-template-hash": "5d"}))
    assert selector_of(workload) == labels_selector({"app": "web"})


def test_unknown_owner_goes_by_what_its_pods_share() -> None:
    pods = [
        a_pod("web-1", labels={"app": "web", "shard": "1", "pod-template-hash": "5d"}),
        a_pod("web-2", "10.244.1.6", labels={"app": "web", "shard": "2"}),
    ]
    timeline = a_timeline(*pods)
    assert workload_selector(key("web"), timeline) == labels_selector({"app": "web"})


def test_pods_that_share_nothing_have_no_selector() -> None:
    pods = a_pod("web-1", labels={"shard": "1"}), a_pod("web-2", "10.244.1.6", labels={"shard": "2"})
    assert workload_selector(key("web"), a_timeline(*pods)) is None


@pytest.mark.parametrize("labels", [{}, {"pod-template-hash": "5d"}])
def test_bare_pod_without_usable_labels_has_no_selector(labels: dict[str, str]) -> None:
    pod = a_pod("one", owner=None, labels=labels)
    assert workload_selector(pod.key, a_timeline(pod)) is None


def test_workload_that_nobody_saw_has_no_selector() -> None:
    assert workload_selector(key("web"), a_timeline()) is None


@given(
    st.dictionaries(st.sampled_from([*VOLATILE, "app", "tier"]), st.sampled_from(["a", "b"])),
    st.dictionaries(st.sampled_from([*VOLATILE, "app", "tier"]), st.sampled_from(["a", "b"])),
)
def test_selector_is_never_empty_and_always_selects_the_pods(
    one: dict[str, str], two: dict[str, str]
) -> None:
    pods = a_pod("web-1", labels=one), a_pod("web-2", "10.244.1.6", labels=two)
    selector = workload_selector(key("web"), a_timeline(*pods))
    if selector is not None:
        assert not selector.empty
        assert all(selector.matches(pod.labels) for pod in pods)


def test_collateral_pods_are_those_of_other_workloads_that_are_there() -> None:
    selector = labels_selector({"app": "web"})
    shared: dict[str, Any] = {"labels": {"app": "web"}}
    others = [
        a_pod("twin-2", "10.244.1.8", **shared),
        a_pod("twin-1", "10.244.1.7", **shared),
        a_pod("done-1", "10.244.1.9", phase="Succeeded", **shared),
        a_pod("host-1", "172.18.0.2", host_network=True, **shared),
        a_pod("far-1", "10.244.2.1", namespace="other", **shared),
        a_pod("api-1", "10.244.1.10"),
        a_pod("gone-1", "10.244.1.11", **shared),
    ]
    timeline = a_timeline(a_pod("web-1"), *others, events=[an_event(others[-1], at=NOON, type="DELETED")])
    assert [pod.name for pod in collateral(selector, "shop", [key("web")], timeline)] == ["twin-1", "twin-2"]
