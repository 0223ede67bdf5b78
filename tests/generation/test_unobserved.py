"""Whom a policy for more than its own workload would cut off."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.generation.unobserved import (
    cut_off,
    ended_unobserved,
    idle_workloads,
    running_unobserved,
)
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector
from tests.factories import a_pod, a_timeline, a_workload, an_edge
from tests.generation.factories import deployed, key

EVERY = LabelSelector()


@pytest.mark.parametrize(
    ("pod", "counts"),
    [
        (a_pod("late-1", "10.244.1.9"), True),
        (a_pod("late-1", "10.244.1.9", phase="Pending"), True),
        (a_pod("late-1", "10.244.1.9", phase="Succeeded"), False),
        (a_pod("late-1", "10.244.1.9", deleting=True), False),
        (a_pod("late-1", "172.18.0.2", host_network=True), False),
        (a_pod("late-1", "10.244.2.9", namespace="other"), False),
    ],
)
def test_workload_counts_while_a_policy_would_select_a_pod_of_it(pod: Pod, counts: bool) -> None:
    timeline = a_timeline(*deployed("web"), pod)
    found = running_unobserved("shop", EVERY, {key("web")}, timeline)
    assert found == ({key("late")} if counts else set())
    assert cut_off("shop", {key("web")}, timeline, []) == (set(PolicyType) if counts else set())


def test_selector_spares_whom_it_does_not_select() -> None:
    timeline = a_timeline(*deployed("web", "api"))
    assert running_unobserved("shop", labels_selector({"app": "web"}), {key("web")}, timeline) == set()
    assert running_unobserved("shop", labels_selector({"app": "api"}), {key("web")}, timeline) == {key("api")}


def test_workload_that_ended_counts_by_its_edges() -> None:
    edges = [an_edge("job", "web"), an_edge("web", "db"), an_edge("web", "web")]
    assert list(ended_unobserved("shop", {key("web")}, edges)) == [
        (key("job"), PolicyType.EGRESS),
        (key("db"), PolicyType.INGRESS),
    ]
    assert cut_off("shop", {key("web")}, a_timeline(*deployed("web")), edges[:1]) == {PolicyType.EGRESS}


def test_idle_workload_is_told_which_policy_will_hold_for_it() -> None:
    timeline = a_timeline(*deployed("web"), a_workload("nightly", kind="CronJob"))
    (alone,) = idle_workloads("shop", {key("web")}, timeline, held_by=lambda _: "")
    (held,) = idle_workloads("shop", {key("web")}, timeline, held_by=lambda _: "netpolgen-allow-namespace")
    assert alone.subject == held.subject == "CronJob shop/nightly"
    assert "it gets no policy" in alone.message
    assert "netpolgen-allow-namespace will hold for its next pods" in held.message
