"""The main job through the command line: a fake API server, real agents, a played tcpdump."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.cluster.attach import DEFAULT_IMAGE
from kubectl_netpolgen.documents.yaml_text import load_documents
from kubectl_netpolgen.model.errors import ExitStatus
from kubectl_netpolgen.runs.installed import installed_version
from tests.cli.factories import Heard, an_environment
from tests.cluster.fake_api.exec_wire import Wire
from tests.commands.shop import ADDRESSES, PORT, Shop, only, open_shop, policies
from tests.runs.fake_pods import NAMESPACE

WORKLOADS = sorted(ADDRESSES)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop of its own for a test that changes it."""
    with open_shop(tmp_path) as opened:
        yield opened


Finished = tuple[int, Heard, Shop]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """One capture that went well, looked at by many tests."""
    with open_shop(tmp_path_factory.mktemp("finished")) as opened:
        status, world = opened.capture("--yes", "--default-deny", "--bundle", "out")
        yield status, world, opened


def test_a_capture_that_went_well_says_so(finished: Finished) -> None:
    status, world, shop = finished
    assert status == ExitStatus.DONE, world.stderr
    assert "wrote 4 policies and graph.dot" in world.stderr
    assert f"kubectl apply -f {shop.directory / 'out' / 'policies'}" in world.stderr


def test_the_table_is_all_that_reaches_stdout(finished: Finished) -> None:
    _, world, _ = finished
    heading, row = world.stdout.splitlines()
    assert heading.split()[:3] == ["CLIENT", "SERVER", "PORT"]
    assert row.split()[:3] == ["shop/deployment/frontend", "shop/deployment/cart", f"{PORT}/TCP"]
    assert "CLIENT" not in world.stderr


def test_the_conversation_tells_the_plan_the_pods_and_the_phases(finished: Finished) -> None:
    _, world, _ = finished
    lines = world.stderr.splitlines()
    assert "  pods       3 pods will get an ephemeral container" in lines
    for name in WORKLOADS:
        assert f"shop/{name}-5d8f-x: capturing (strict)" in lines
    assert [line for line in lines if line in ("attaching", "capturing", "collecting")] == [
        "attaching",
        "capturing",
        "collecting",
    ]
    assert "\x1b" not in world.stderr


def test_there_is_a_policy_for_each_workload_and_the_deny_all_comes_last(finished: Finished) -> None:
    _, _, shop = finished
    written = policies(shop.directory / "out")
    assert list(written) == [
        *(f"netpolgen-allow-deployment-{name}.yaml" for name in WORKLOADS),
        "netpolgen-default-deny.yaml",
    ]
    (rule,) = written["netpolgen-allow-deployment-cart.yaml"]["spec"]["ingress"]
    assert rule["ports"] == [{"port": PORT, "protocol": "TCP"}]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app": "frontend"}}}]
    assert not written["netpolgen-allow-deployment-batch.yaml"]["spec"].get("egress")


def test_the_bundle_tells_the_run(finished: Finished) -> None:
    _, _, shop = finished
    manifest = json.loads((shop.directory / "out" / "bundle.json").read_text())
    assert manifest["toolVersion"] == installed_version()
    assert manifest["namespaces"] == [NAMESPACE]
    assert manifest["arguments"] == {"image": DEFAULT_IMAGE, "selector": ""}
    assert {pod["state"] for pod in manifest["pods"]} == {"released"}
    journal = (shop.directory / "out" / "session.jsonl").read_text().splitlines()
    assert json.loads(journal[-1])["state"] == "run-written"


def test_the_bundle_is_its_owners_alone(finished: Finished) -> None:
    _, _, shop = finished
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in shop.files}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_analysing_the_bundle_gives_the_same_bytes(finished: Finished) -> None:
    _, world, shop = finished
    before = {path: path.read_bytes() for path in shop.files if path.is_file() and path.suffix != ".png"}
    again = shop.environment()
    words = ["kubectl-netpolgen", "analyse", "out"]
    assert main(words, again.environment) == ExitStatus.DONE
    assert again.stdout == world.stdout
    assert "as recorded in the bundle: --default-deny" in again.stderr
    assert {path: path.read_bytes() for path in before} == before


def test_nothing_of_ours_runs_afterwards(finished: Finished) -> None:
    _, _, shop = finished
    until = time.monotonic() + 10
    while shop.node.running():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_json_replaces_the_table(shop: Shop) -> None:
    status, world = shop.capture("--yes", "-o", "json", "--read-config")
    assert status == ExitStatus.DONE, world.stderr
    (item,) = json.loads(world.stdout)["items"]
    assert (item["client"]["name"], item["server"]["name"], item["port"]) == ("frontend", "cart", PORT)
    # without --bundle it is named after the namespace and the moment, in UTC
    (bundle,) = shop.directory.iterdir()
    assert bundle.name == "netpolgen-shop-20260103-120000"
    assert json.loads((bundle / "bundle.json").read_text())["arguments"]["read-config"] == "true"


def test_a_dry_run_touches_nothing(shop: Shop) -> None:
    status, world = shop.capture("--dry-run")
    assert (status, world.stdout) == (ExitStatus.DONE, "")
    assert "3 pods will get an ephemeral container" in world.stderr
    assert (shop.changes, shop.files, shop.api.execs) == ([], [], [])


def test_nobody_there_to_say_yes_is_a_usage_error(shop: Shop) -> None:
    status, world = shop.capture()
    assert status == ExitStatus.USAGE
    assert "add --yes" in world.stderr
    assert (shop.changes, shop.files) == ([], [])


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "nay\n"])
def test_anything_but_a_yes_does_nothing(shop: Shop, answer: str) -> None:
    status, world = shop.capture(stdin_is_terminal=True, answers=answer)
    assert status == ExitStatus.ERROR
    assert "Go on? [y/N] error: nothing was done" in world.stderr
    assert (shop.changes, shop.files) == ([], [])


@pytest.mark.parametrize("answer", ["y\n", " YES \n"])
def test_a_yes_at_the_terminal_goes_on(tmp_path: Path, answer: str) -> None:
    with open_shop(tmp_path, ["batch"]) as shop:
        status, world = shop.capture(stdin_is_terminal=True, answers=answer)
        assert status == ExitStatus.DONE, world.stderr
        assert shop.changes


def test_an_unknown_namespace_is_named_with_its_nearest(shop: Shop) -> None:
    status, world = shop.capture("--yes", namespace="shpo")
    assert status == ExitStatus.ERROR
    assert "error: namespace shpo does not exist\n  did you mean shop?\n" in world.stderr
    assert (shop.changes, shop.files) == ([], [])


def test_without_rights_the_missing_rules_are_yaml_to_ask_for(shop: Shop) -> None:
    shop.api.rights = lambda verb, target: target.permission not in ("pods/exec", "pods/ephemeralcontainers")
    status, world = shop.capture("--yes")
    assert status == ExitStatus.ERROR
    assert "patch pods/ephemeralcontainers" in world.stderr
    lines = world.stderr.splitlines()
    start = next(number for number, line in enumerate(lines) if "apiVersion: rbac" in line)
    (role,) = load_documents("\n".join(line[2:] for line in lines[start:]))
    assert role["kind"] == "Role"
    asked = {name: rule["verbs"] for rule in role["rules"] for name in rule["resources"]}
    assert asked["pods/ephemeralcontainers"] == ["patch"]
    assert (shop.changes, shop.files) == ([], [])


def test_nothing_captured_tells_the_reason_of_each_pod(shop: Shop) -> None:
    shop.node.waiting = lambda pod, container: "InvalidImageName"
    status, world = shop.capture("--yes", "--bundle", "out")
    assert status == ExitStatus.NOTHING
    assert "error: nothing was captured in shop: " in world.stderr
    for name in WORKLOADS:
        assert f"shop/{name}-5d8f-x: " in world.stderr.split("error: ")[1]
    assert "kubectl netpolgen doctor" in world.stderr
    # what happened stays to be read
    manifest = json.loads((shop.directory / "out" / "bundle.json").read_text())
    assert len(manifest["pods"]) == len(WORKLOADS)
    assert not (shop.directory / "out" / "policies").exists()


def test_a_namespace_without_pods_gives_nothing(tmp_path: Path) -> None:
    with open_shop(tmp_path, []) as shop:
        status, world = shop.capture("--yes")
    assert (status, shop.files) == (ExitStatus.NOTHING, [])
    assert "error: no pods in shop\n" in world.stderr


def test_a_workload_that_was_not_captured_makes_it_partial(shop: Shop) -> None:
    shop.node.tcpdump = only("cart", "refused")
    status, world = shop.capture("--yes", "--bundle", "out")
    assert status == ExitStatus.PARTIAL
    assert "permission to perform this capture" in world.stderr
    assert list(policies(shop.directory / "out")) == [
        "netpolgen-allow-deployment-batch.yaml",
        "netpolgen-allow-deployment-frontend.yaml",
    ]


@pytest.mark.parametrize("there", ["full", "file"])
def test_a_bundle_that_is_there_is_never_written_into(shop: Shop, there: str) -> None:
    (shop.directory / "full").mkdir()
    (shop.directory / "full" / "mine").touch()
    (shop.directory / "file").touch()
    status, world = shop.capture("--yes", "--bundle", there)
    assert status == ExitStatus.USAGE
    assert f"{shop.directory / there} exists and is not an empty directory" in world.stderr
    assert shop.api.received == []


def test_two_captures_of_the_same_second_do_not_mix(shop: Shop) -> None:
    taken = shop.directory / "netpolgen-shop-20260103-120000"
    taken.mkdir()
    (taken / "mine").touch()
    status, world = shop.capture("--yes")
    assert status == ExitStatus.ERROR
    assert "exists and is not empty" in world.stderr
    assert shop.changes == []


@pytest.mark.parametrize(
    ("words", "variables", "image"),
    [
        ((), {}, DEFAULT_IMAGE),
        ((), {"NETPOLGEN_IMAGE": ""}, DEFAULT_IMAGE),
        ((), {"NETPOLGEN_IMAGE": "registry.test/tools:1"}, "registry.test/tools:1"),
        (
            ("--image", "registry.test/mine:2"),
            {"NETPOLGEN_IMAGE": "registry.test/tools:1"},
            "registry.test/mine:2",
        ),
    ],
)
def test_the_image_is_the_flags_then_the_variables_then_ours(
    tmp_path: Path, words: tuple[str, ...], variables: dict[str, str], image: str
) -> None:
    with open_shop(tmp_path, ["batch"]) as shop:
        status, world = shop.capture("--yes", *words, variables=variables)
        assert status == ExitStatus.DONE, world.stderr
        (change,) = shop.changes
    (container,) = json.loads(change.body)["spec"]["ephemeralContainers"]
    assert container["image"] == image
    assert f"  image      {image}\n" in world.stderr
    capabilities = "NET_RAW" if image == DEFAULT_IMAGE else "NET_RAW, SETGID, SETUID"
    assert f"drop ALL, add {capabilities};" in world.stderr
    assert sorted(container["securityContext"]["capabilities"]["add"]) == capabilities.split(", ")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--duration", "0.5s"), "--duration: must be from 1s to 24h"),
        (("--duration", "25h"), "--duration: must be from 1s to 24h"),
        (("--lease", "59s"), "--lease: must be at least 60s"),
        (("--linger", "9s"), "--linger: must be at least 10s"),
    ],
)
def test_times_that_would_leave_agents_alone_are_refused(words: tuple[str, str], problem: str) -> None:
    world = Heard(an_environment())
    argv = ["kubectl-netpolgen", "capture", "-n", "shop", "--yes", *words]
    assert main(argv, world.environment) == ExitStatus.USAGE
    assert world.stderr.startswith(f"error: {problem}\n  ")


def test_lease_and_linger_reach_the_agents(tmp_path: Path) -> None:
    with open_shop(tmp_path, ["batch"]) as shop:
        status, world = shop.capture("--yes", "--lease", "60s", "--linger", "10s")
        assert status == ExitStatus.DONE, world.stderr
        (change,) = shop.changes
    (container,) = json.loads(change.body)["spec"]["ephemeralContainers"]
    told = {item["name"]: item["value"] for item in container["env"]}
    assert (told["NPG_LEASE"], told["NPG_LINGER"]) == ("60", "10")


def test_a_pod_that_is_left_out_is_told_before_and_told_once_afterwards(tmp_path: Path) -> None:
    with open_shop(tmp_path, ["batch"]) as shop:
        shop.node.pod("host", spec={"hostNetwork": True})
        status, world = shop.capture("--yes", "--bundle", "out")
        assert status == ExitStatus.DONE, world.stderr
        manifest = json.loads((shop.directory / "out" / "bundle.json").read_text())
    plan, _, afterwards = world.stderr.partition("attaching\n")
    assert "[pods-left-out]" in plan
    assert "pods-left-out" not in afterwards
    assert afterwards.count("[pod-skipped]") == 1
    assert [finding["code"] for finding in manifest["findings"]] == ["pod-skipped"]


def test_colour_on_stderr_does_not_need_colour_on_stdout(shop: Shop) -> None:
    shop.node.pod("host", spec={"hostNetwork": True})
    _, world = shop.capture("--dry-run", stderr_colour=True)
    assert "\x1b[1m1 note:\x1b[0m" in world.stderr
    _, plain = shop.capture("--dry-run", colour=True)
    assert "\x1b" not in plain.stderr


def test_a_bundle_in_a_git_work_tree_is_warned_of_before_anything_is_done(shop: Shop) -> None:
    subprocess.run(["git", "init", "-q", str(shop.directory)], check=True)
    status, world = shop.capture("--bundle", "deploy/out", stdin_is_terminal=True, answers="n\n")
    assert status == ExitStatus.ERROR
    bundle = shop.directory / "deploy" / "out"
    warning = f"warning: {bundle} lies in the git work tree {shop.directory}, and a bundle holds traffic; "
    before, question, _ = world.stderr.partition("Go on?")
    assert warning in before
    assert question
    assert "add it to .gitignore, or name a directory elsewhere with --bundle\n" in before


def test_a_bundle_that_git_ignores_or_never_sees_is_not_warned_of(shop: Shop) -> None:
    _, outside = shop.capture("--dry-run")
    (shop.directory / ".git").mkdir()
    (shop.directory / ".gitignore").write_text("netpolgen-*/\n", encoding="utf-8")
    _, ignored = shop.capture("--dry-run")
    assert "work tree" not in outside.stderr + ignored.stderr


HANDLED = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupting(world: Heard, *, once: str, numbers: tuple[int, ...]) -> Iterator[None]:
    """Raise signals, one after the other, as soon as a line was said."""
    failures: list[Any] = []

    def interrupt() -> None:
        until = time.monotonic() + 20
        for said, number in zip((once, "interrupt again"), numbers, strict=False):
            while said not in world.stderr:
                if time.monotonic() > until:
                    failures.append(world.stderr)
                    return
                time.sleep(0.01)
            signal.raise_signal(number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("number", HANDLED)
def test_an_interrupt_collects_and_writes(shop: Shop, number: int) -> None:
    handlers = [signal.getsignal(one) for one in HANDLED]
    world = shop.environment()
    with interrupting(world, once="\ncapturing\n", numbers=(number,)):
        status, _ = shop.capture("--yes", "--duration", "10m", "--bundle", "out", world=world)
    assert status == ExitStatus.INTERRUPTED
    assert "stopping and collecting; interrupt again to leave at once\n" in world.stderr
    assert len(policies(shop.directory / "out")) == len(WORKLOADS)
    assert "shop/deployment/frontend" in world.stdout
    assert [signal.getsignal(one) for one in HANDLED] == handlers


def test_a_second_interrupt_leaves_at_once_and_says_what_still_runs(shop: Shop) -> None:
    handlers = [signal.getsignal(one) for one in HANDLED]
    # agents that take their time to hand over what they have
    held = threading.Event()

    def hold(wire: Wire) -> None:
        held.wait(20)

    shop.node.on_exec = lambda request: hold if "stop" in request.command else None
    world = shop.environment()
    try:
        with interrupting(world, once="\ncapturing\n", numbers=(signal.SIGINT, signal.SIGINT)):
            status, _ = shop.capture("--yes", "--duration", "10m", "--bundle", "out", world=world)
    finally:
        held.set()
    assert status == ExitStatus.INTERRUPTED, world.stderr
    for name in WORKLOADS:
        assert f"shop/{name}-5d8f-x: container npg-" in world.stderr
    assert "stops capturing by" in world.stderr
    assert world.stderr.splitlines()[-1].startswith("nothing was captured in shop: ")
    assert [signal.getsignal(one) for one in HANDLED] == handlers
