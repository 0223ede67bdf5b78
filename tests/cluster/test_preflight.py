"""Everything is looked at before anything is touched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubectl_netpolgen.cluster.access import cluster_role, role
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.preflight import Preflight, preflight
from kubectl_netpolgen.cluster.status import ApiError
from kubectl_netpolgen.model.errors import ClusterError, ExitStatus, NothingCaptured
from kubectl_netpolgen.model.finding import Severity
from tests.cluster.fake_api import FakeApi, open_api, refusal
from tests.cluster.rights import granted_by


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        running.store.put("Namespace", "shop")
        put(running, "web-1")
        yield running


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    with open_api(server) as opened:
        yield opened


def put(server: FakeApi, name: str, *, namespace: str = "shop", **spec: object) -> None:
    server.store.put("Pod", name, namespace=namespace, spec=spec, status={"phase": "Running"})


def codes(checked: Preflight) -> list[str]:
    return [finding.code for finding in checked.findings]


def test_a_healthy_namespace_has_nothing_to_tell(server: FakeApi, api: Api) -> None:
    put(server, "web-2")
    checked = preflight(api, ["shop"])
    checked.demand_rights()
    assert (checked.findings, checked.pods, checked.skipped) == ((), 2, 0)
    assert (checked.server_version, checked.namespaces) == ("v1.34.4", ("shop",))


def test_nothing_is_changed(server: FakeApi, api: Api) -> None:
    preflight(api, ["shop"])
    changes = [request for request in server.received if request.method == "PATCH"]
    assert all(request.query["dryRun"] == ["All"] for request in changes)
    assert {request.method for request in server.received} <= {"GET", "POST", "PATCH"}


def test_the_printed_role_is_enough(server: FakeApi, api: Api) -> None:
    server.rights = granted_by(role("shop"))
    assert preflight(api, ["shop"]).findings == ()


def test_config_maps_are_asked_about_only_where_they_will_be_read(server: FakeApi, api: Api) -> None:
    server.rights = granted_by(role("shop"))
    (finding,) = preflight(api, ["shop"], configuration=True).findings
    assert (finding.code, finding.severity) == ("rights-missing-for-names", Severity.WARNING)
    assert "configmaps" in finding.message


def test_a_missing_right_is_an_error_with_the_rule(server: FakeApi, api: Api) -> None:
    server.rights = granted_by(cluster_role())
    checked = preflight(api, ["shop"])
    with pytest.raises(ClusterError, match="patch pods/ephemeralcontainers") as caught:
        checked.demand_rights()
    assert "kind: Role" in caught.value.way_out
    assert "pods/ephemeralcontainers" in caught.value.way_out


def test_no_right_at_all_is_an_error_and_not_a_crash(server: FakeApi, api: Api) -> None:
    server.rights = lambda verb, target: False
    with pytest.raises(ClusterError, match="get, list, watch pods"):
        preflight(api, ["shop"]).demand_rights()


def test_an_unknown_namespace_is_named_with_its_nearest(api: Api) -> None:
    with pytest.raises(ClusterError, match="namespace shpo does not exist") as caught:
        preflight(api, ["shpo"])
    assert caught.value.way_out == "did you mean shop?"


def test_an_unknown_namespace_may_be_like_no_other(server: FakeApi, api: Api) -> None:
    with pytest.raises(ClusterError) as caught:
        preflight(api, ["zzz"])
    assert caught.value.way_out == "there are shop"
    server.rights = lambda verb, target: verb != "list"
    with pytest.raises(ClusterError) as caught:
        preflight(api, ["zzz"])
    assert caught.value.way_out == "check -n and --context"


def test_a_namespace_without_pods_captures_nothing(server: FakeApi, api: Api) -> None:
    server.store.put("Namespace", "empty")
    with pytest.raises(NothingCaptured, match=r"^no pods in empty$") as caught:
        preflight(api, ["empty"])
    assert caught.value.status is ExitStatus.NOTHING


def test_a_namespace_that_may_not_be_seen_may_not_exist(server: FakeApi, api: Api) -> None:
    server.rights = lambda verb, target: target.resource != "namespaces"
    with pytest.raises(NothingCaptured, match=r"or there is no namespace nowhere"):
        preflight(api, ["nowhere"])


def test_a_selector_that_selects_nothing_is_named(server: FakeApi, api: Api) -> None:
    server.store.delete("Pod", "web-1", namespace="shop")
    with pytest.raises(NothingCaptured, match="no pods with labels app=x in shop"):
        preflight(api, ["shop"], "app=x")
    lists = [request for request in server.received if request.path.endswith("/pods")]
    assert lists[0].query["labelSelector"] == ["app=x"]


def test_one_namespace_without_pods_among_others_is_a_warning(server: FakeApi, api: Api) -> None:
    server.store.put("Namespace", "empty")
    checked = preflight(api, ["empty", "shop"])
    assert codes(checked) == ["namespace-without-pods"]
    assert checked.pods_by_namespace == {"empty": 0, "shop": 1}


def test_pods_that_cannot_be_captured_are_counted_and_named(server: FakeApi, api: Api) -> None:
    put(server, "agent", hostNetwork=True)
    checked = preflight(api, ["shop"])
    assert (checked.pods, checked.skipped, codes(checked)) == (1, 1, ["pods-left-out"])
    assert "agent" in checked.findings[0].message


def test_nothing_but_such_pods_captures_nothing(server: FakeApi, api: Api) -> None:
    server.store.delete("Pod", "web-1", namespace="shop")
    put(server, "agent", hostNetwork=True)
    with pytest.raises(NothingCaptured, match="agent: it uses the node's network"):
        preflight(api, ["shop"])


@pytest.mark.parametrize(
    ("minor", "old"), [("24", True), ("25", False), ("25+", False), ("9", True), ("", False)]
)
def test_a_server_before_ephemeral_containers_is_an_error(
    server: FakeApi, api: Api, minor: str, old: bool
) -> None:
    server.version = {"major": "1", "minor": minor, "gitVersion": f"v1.{minor}.0"}
    checked = preflight(api, ["shop"])
    assert ("server-too-old" in codes(checked)) is old
    if old:
        with pytest.raises(ClusterError, match="no stable ephemeral containers"):
            checked.demand_rights()


def test_another_running_capture_is_told(server: FakeApi, api: Api) -> None:
    pod = server.store.put("Pod", "web-1", namespace="shop")
    pod["spec"] = {"ephemeralContainers": [{"name": "npg-0123abcd"}]}
    running = {"name": "npg-0123abcd", "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}}}
    pod["status"] = {"phase": "Running", "ephemeralContainerStatuses": [running]}
    server.store.replace(pod)
    checked = preflight(api, ["shop"])
    (finding,) = checked.findings
    assert (finding.code, finding.severity) == ("agents-running", Severity.WARNING)
    assert "clean -n shop" in finding.way_out


def test_what_podsecurity_admits_is_told(server: FakeApi, api: Api) -> None:
    label = {"pod-security.kubernetes.io/enforce": "baseline"}
    server.store.put("Namespace", "shop", metadata={"labels": label})
    server.admission = lambda pod, container: (
        'violates PodSecurity "baseline:latest"'
        if "add" in container["securityContext"]["capabilities"]
        else ""
    )
    checked = preflight(api, ["shop"])
    assert codes(checked) == ["admitted-with-defaults-only"]
    assert "PodSecurity baseline" in checked.findings[0].message
    server.admission = lambda pod, container: 'violates PodSecurity "restricted:latest"'
    (finding,) = preflight(api, ["shop"]).findings
    assert (finding.code, finding.severity) == ("capture-not-admitted", Severity.WARNING)
    assert "enforce=baseline" in finding.way_out


def test_any_other_trouble_is_the_servers_word(server: FakeApi, api: Api) -> None:
    server.plan("GET", "/api/v1/namespaces/shop/pods", refusal(400, "BadRequest", "no such field"), times=9)
    with pytest.raises(ApiError, match="no such field"):
        preflight(api, ["shop"])


def test_a_selector_that_the_server_does_not_understand_has_a_way_out(server: FakeApi, api: Api) -> None:
    server.plan("GET", "/api/v1/namespaces/shop/pods", refusal(400, "BadRequest", "unable to parse"), times=9)
    with pytest.raises(ClusterError, match="selector a in b: unable to parse") as caught:
        preflight(api, ["shop"], "a in b")
    assert "check -l" in caught.value.way_out
