"""Which entries are ours, and which of them still run."""

from __future__ import annotations

from typing import Any

from kubectl_netpolgen.cluster.leftovers import Leftover, leftovers_of


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
