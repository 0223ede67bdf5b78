"""Allow first, restart what starts with init containers, deny last, and back again."""

from __future__ import annotations

from kubectl_netpolgen.generation.deny_all import default_deny
from kubectl_netpolgen.generation.rollout import rollout_steps
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType
from tests.factories import a_pod, a_policy, a_timeline, a_workload
from tests.generation.factories import key

WEB = ("policies/netpolgen-allow-deployment-web.yaml", a_policy("web"))
API = ("policies/netpolgen-allow-deployment-api.yaml", a_policy("api", policy_types=(PolicyType.INGRESS,)))
DENY = ("policies/netpolgen-default-deny.yaml", default_deny("shop"))


def steps(*files: tuple[str, NetworkPolicy]) -> list[str]:
    """The steps where both workloads start with an init container."""
    pods = (a_pod(f"{name}-1", init_containers=("migrate",)) for name in ("web", "api"))
    timeline = a_timeline(a_workload("web"), a_workload("api"), *pods)
    return list(rollout_steps(files, [key("api"), key("web")], timeline))


def test_what_denies_comes_last_and_leaves_first() -> None:
    found = steps(API, WEB, DENY)
    order = [
        found.index(step) for path, _ in (API, WEB, DENY) for step in found if f"apply -f {path}`" in step
    ]
    assert order == sorted(order)
    assert "denies everything else in shop" in found[order[-1]]
    assert f"-f {DENY[0]} -f {WEB[0]} -f {API[0]}`" in found[-1]


def test_workload_whose_egress_is_closed_is_restarted_under_the_eyes_of_somebody() -> None:
    restarts = [step for step in steps(API, WEB) if "init containers" in step]
    assert [step.split(":")[0] for step in restarts] == ["Restart Deployment shop/web"]
    assert "migrate" in restarts[0]
    assert not [step for step in steps(API) if "init containers" in step]


def test_policy_is_told_by_what_it_isolates() -> None:
    assert any("isolates api of shop for ingress." in step for step in steps(API))
    assert any("isolates web of shop for ingress and egress." in step for step in steps(WEB))
