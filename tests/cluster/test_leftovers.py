"""Which entries are ours, and which of them still run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.leftovers import Leftover, end_leftover, find_leftovers, leftovers_of
from kubectl_netpolgen.cluster.status import ApiError, ConnectionLost
from tests.cluster.fake_api import FakeApi, open_api, refusal
from tests.cluster.fake_api import exec_wire as wire


def a_pod(*names: str, states: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "shop", "name": "web-1"},
        "spec": {"ephemeralContainers": [{"name": name} for name in names]},
        "status": {
            "ephemeralContainerStatuses": [
                {"name": name, "state": state} for name, state in (states or {}).items()
            ]
        },
    }


def test_a_running_agent_is_found_with_its_directory_and_start() -> None:
    running = {"running": {"startedAt": "2026-01-02T03:04:05Z"}}
    pod = a_pod("npg-0123abcd", states={"npg-0123abcd": running})

    assert leftovers_of(pod) == [
        Leftover("shop", "web-1", "npg-0123abcd", "0123abcd", True, "2026-01-02T03:04:05Z")
    ]


def test_an_agent_of_the_second_rung_has_a_directory_of_its_own() -> None:
    found = leftovers_of(a_pod("npg-0123abcd-2", states={"npg-0123abcd-2": {"running": {}}}))

    assert [item.run for item in found] == ["0123abcd-2"]


def test_an_ended_agent_is_no_running_one() -> None:
    ended = {"terminated": {"startedAt": "2026-01-02T03:04:05Z", "exitCode": 0}}
    found = leftovers_of(a_pod("npg-0123abcd", states={"npg-0123abcd": ended}))

    assert [item.running for item in found] == [False]


def test_an_entry_that_never_started_does_not_run_and_has_no_start() -> None:
    assert leftovers_of(a_pod("npg-0123abcd")) == [
        Leftover("shop", "web-1", "npg-0123abcd", "0123abcd", False, "")
    ]


def test_other_peoples_debug_containers_are_none_of_ours() -> None:
    assert leftovers_of(a_pod("debugger", "npg-", "npg-xyz", "npg-0123abcd0", "my-npg-0123abcd")) == []


def test_a_pod_without_ephemeral_containers_has_nothing_left() -> None:
    assert leftovers_of({"metadata": {"namespace": "shop", "name": "web-1"}, "spec": {}, "status": {}}) == []


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    with open_api(server) as opened:
        yield opened


AGENT = Leftover("shop", "web-1", "npg-0123abcd-2", "0123abcd-2", True, "")


def test_all_pods_of_the_namespaces_are_looked_at(server: FakeApi, api: Api) -> None:
    for namespace, name in (("shop", "web-1"), ("pay", "web-1"), ("other", "web-1")):
        metadata = {"labels": {"app": "x"}} if namespace == "pay" else {}
        spec = {"ephemeralContainers": [{"name": "npg-0123abcd"}]}
        server.store.put("Pod", name, namespace=namespace, spec=spec, metadata=metadata)

    assert [item.namespace for item in find_leftovers(api, ["shop", "pay"])] == ["pay", "shop"]
    assert [item.namespace for item in find_leftovers(api, ["shop", "pay"], selector="app=x")] == ["pay"]


def test_an_agent_is_told_to_stop_and_then_to_go(server: FakeApi, api: Api) -> None:
    assert end_leftover(api, AGENT)

    assert [request.command[4:6] for request in server.execs] == [
        ("halt", "0123abcd-2"),
        ("release", "0123abcd-2"),
    ]
    assert {request.container for request in server.execs} == {"npg-0123abcd-2"}


def test_an_agent_that_went_in_between_needs_no_telling(server: FakeApi, api: Api) -> None:
    server.on_exec = lambda request: wire.prints(exit_code=91)

    assert not end_leftover(api, AGENT)


def test_an_agent_that_cannot_be_reached_is_an_error(server: FakeApi, api: Api) -> None:
    server.on_exec = lambda request: wire.closes_early(b"")
    with pytest.raises(ConnectionLost):
        end_leftover(api, AGENT)

    server.plan("GET", "/api/v1/namespaces/shop/pods/web-1/exec", refusal(404, "NotFound", "pod gone"))
    with pytest.raises(ApiError, match="pod gone"):
        end_leftover(api, AGENT)
