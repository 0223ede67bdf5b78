"""What goes wrong on a real cluster: a clear word each time, nothing lost that was there, nothing left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.boutique import hostile
from tests.e2e.boutique.cutting import api_address, cuttable_way, kubeconfig_through
from tests.e2e.boutique.leftovers import wait_until_none_runs
from tests.e2e.boutique.player import Call, Listen
from tests.e2e.boutique.product import Bundle, Finished, Product, edges_of
from tests.e2e.boutique.stage import Stage, temporary_namespace
from tests.e2e.boutique.workloads import Door, Workload
from tests.harness.target import Target

PAIR = (
    Workload("web", listens=(Listen(8080, "http"),), doors=(Door("web", 80, 8080),), probe="httpGet"),
    Workload("caller", calls=(Call("web", "web", 80, "http", every=1.0),), probe="none"),
    # Apart from the others, because an image that never comes stays in a pod for as long as it lives.
    Workload("victim", probe="none"),
)
ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def pair(cluster: Target) -> Iterator[Stage]:
    """Run a client, its server and a bystander: enough for anything to go wrong with."""
    with temporary_namespace(cluster.kubectl, "faults") as namespace:
        stage = Stage(cluster.kubectl, namespace, PAIR)
        stage.deploy()
        yield stage


@pytest.fixture(scope="module")
def product(cluster: Target) -> Product:
    """Return the product in the hands of an administrator."""
    return Product(cluster.kubectl, cluster.kubeconfig)


def capture_flags(stage: Stage, bundle: Bundle, seconds: int) -> tuple[str, ...]:
    """Return the arguments of a short capture of the client and its server."""
    chosen = ("-n", stage.namespace, "-l", "app in (web,caller)")
    return ("capture", *chosen, "--duration", f"{seconds}s", "--bundle", str(bundle.path), "--yes")


def all_findings(bundle: Bundle) -> str:
    """Return the findings of a bundle as they are written, for a test to look for a name in."""
    file = bundle.path / "findings.jsonl"
    return file.read_text(encoding="utf-8") if file.exists() else ""


@pytest.fixture(scope="module")
def hostile_run(
    pair: Stage, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Finished, Bundle]:
    """Capture once while a pod asks for a hostile name; the bundle then serves several tests."""
    bundle = Bundle(tmp_path_factory.mktemp("hostile") / "bundle")
    source = Path(hostile.__file__).read_text(encoding="utf-8")
    asking = ("python3", "-c", source, "203.0.113.10", "9000", "12")
    with ThreadPoolExecutor(max_workers=1) as pool:
        with product.started(*capture_flags(pair, bundle, 10)) as running:
            running.wait_for(bundle, "run-all-capturing")
            pod = pair.actors()["caller"].pod
            asked = pool.submit(pair.kubectl.exec, pair.namespace, pod, *asking, container="server")
            finished = running.finish()
        asked.result()
    return finished, bundle


def test_an_unknown_namespace_is_named(cluster: Target, product: Product, tmp_path: Path) -> None:
    """A typing error in the namespace is the commonest of all."""
    finished = product.run("capture", "-n", "no-such-shop", "--yes", "--bundle", str(tmp_path / "bundle"))

    assert "no-such-shop" in finished.expect(1).stderr


def test_a_namespace_without_pods_gives_nothing(cluster: Target, product: Product, tmp_path: Path) -> None:
    """Nothing captured has its own exit status, so that scripts need not read."""
    with temporary_namespace(cluster.kubectl, "empty") as namespace:
        flags = ("--duration", "5s", "--yes", "--bundle", str(tmp_path / "bundle"))
        finished = product.run("capture", "-n", namespace, *flags)

    assert namespace in finished.expect(4).stderr


def test_a_user_without_rights_is_told_the_rule_to_ask_for(
    cluster: Target, pair: Stage, tmp_path: Path
) -> None:
    """The message holds YAML that an administrator can paste, and nothing was started."""
    if cluster.dev_kubeconfig is None:
        pytest.skip("this cluster gives no second user without rights")
    dev = Product(cluster.kubectl, cluster.dev_kubeconfig)
    finished = dev.run(*capture_flags(pair, Bundle(tmp_path / "bundle"), 5)).expect(1)

    for needed in ("apiGroups", "resources", "verbs", "pods/ephemeralcontainers"):
        assert needed in finished.said


def test_an_image_that_cannot_be_pulled_is_named_with_its_pod(
    cluster: Target, pair: Stage, product: Product, tmp_path: Path
) -> None:
    """The kubelet knows the reason at once; the user must not have to ask it."""
    where = ("-n", pair.namespace, "-l", "app=victim", "--bundle", str(tmp_path / "bundle"), "--yes")
    finished = product.run("capture", *where, "--duration", "10s", "--image", "localhost/none/none:1")

    assert pair.actors()["victim"].pod in finished.expect(4).stderr
    assert "ImagePull" in finished.stderr
    assert finished.seconds < 90


def test_hostile_names_reach_no_terminal(hostile_run: tuple[Finished, Bundle], product: Product) -> None:
    """Control characters in packets stay in packets: not on the screen, not in the policies."""
    finished, bundle = hostile_run
    again = product.analyse(bundle)

    for run in (finished, again):
        assert ESCAPE not in run.expect(0, 3).said
    assert all(ESCAPE.encode() not in file.read_bytes() for file in bundle.policies())


def test_a_truncated_capture_is_named_and_the_rest_is_used(
    hostile_run: tuple[Finished, Bundle], product: Product, tmp_path: Path
) -> None:
    """A file cut in the middle of a packet still holds everything before the cut."""
    copy = Bundle(shutil.copytree(hostile_run[1].path, tmp_path / "bundle"))
    cut = max(copy.path.rglob("*.pcap"), key=lambda file: file.stat().st_size)
    os.truncate(cut, cut.stat().st_size - 7)
    finished = product.analyse(copy, "-o", "json").expect(0, 3)

    assert str(cut.relative_to(copy.path)) in finished.stderr + all_findings(copy)
    assert any(item["port"] == 8080 and item["outcome"] == "established" for item in finished.items())


def test_a_foreign_file_is_named_and_the_rest_is_used(
    hostile_run: tuple[Finished, Bundle], product: Product, tmp_path: Path
) -> None:
    """What only looks like a capture by its name must not stop the others from being read."""
    copy = Bundle(shutil.copytree(hostile_run[1].path, tmp_path / "bundle"))
    foreign = sorted(copy.path.rglob("*.pcap"))[0]
    foreign.write_bytes(b"PK\x03\x04 this is no capture \x1b[2J at all" * 20)
    finished = product.analyse(copy).expect(0, 3)

    assert str(foreign.relative_to(copy.path)) in finished.stderr + all_findings(copy)
    assert ESCAPE not in finished.said


def test_a_pod_deleted_during_the_capture_costs_only_itself(
    cluster: Target, pair: Stage, product: Product, tmp_path: Path
) -> None:
    """The others go on, and the pod that replaces it is captured as soon as it runs."""
    bundle = Bundle(tmp_path / "bundle")
    with product.started(*capture_flags(pair, bundle, 20), "-o", "json") as running:
        running.wait_for(bundle, "run-all-capturing")
        time.sleep(3)
        cluster.kubectl.run("-n", pair.namespace, "delete", "pod", pair.actors()["web"].pod, "--wait=false")
        successor = _wait_for_successor(pair, "web")
        running.wait_for(bundle, "capturing", pod=f"{pair.namespace}/{successor}", timeout=15)
        finished = running.finish().expect(0, 3)

    found = edges_of(finished.items(), pair.namespace)
    assert ("caller", "web", 8080, "established") in {(e.client, e.server, e.port, e.outcome) for e in found}
    wait_until_none_runs(cluster.kubectl, pair.namespace)


def test_connections_cut_in_the_middle_cost_nothing(cluster: Target, pair: Stage, tmp_path: Path) -> None:
    """Exec, watch and pull all break at once, twice: what the pods hold is asked for again."""
    bundle = Bundle(tmp_path / "bundle")
    with cuttable_way(api_address(cluster.kubectl)) as way:
        kubeconfig = kubeconfig_through(cluster.kubectl, way, tmp_path / "kubeconfig")
        through = Product(cluster.kubectl, kubeconfig)
        with through.started(*capture_flags(pair, bundle, 12), "-o", "json") as running:
            running.wait_for(bundle, "run-all-capturing")
            for pause in (3, 3):
                time.sleep(pause)
                way.cut()
            finished = running.finish().expect(0)

    found = edges_of(finished.items(), pair.namespace)
    assert ("caller", "web", 8080, "established") in {(e.client, e.server, e.port, e.outcome) for e in found}
    wait_until_none_runs(cluster.kubectl, pair.namespace)


def test_an_interrupt_collects_and_writes(
    cluster: Target, pair: Stage, product: Product, tmp_path: Path
) -> None:
    """One ^C ends the waiting, not the work."""
    bundle = Bundle(tmp_path / "bundle")
    with product.started(*capture_flags(pair, bundle, 300)) as running:
        running.wait_for(bundle, "run-all-capturing")
        time.sleep(4)
        running.process.send_signal(signal.SIGINT)
        running.finish(timeout=60).expect(130)

    wanted = {f"netpolgen-allow-deployment-{name}" for name in ("web", "caller")}
    assert {file.stem for file in bundle.policies()} >= wanted
    wait_until_none_runs(cluster.kubectl, pair.namespace)


def test_a_full_disk_is_said_and_nothing_keeps_running(
    cluster: Target, pair: Stage, product: Product, tmp_path: Path
) -> None:
    """There is no room for the captures: the user hears which place is full, and the agents still end."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a disk small enough to fill")
    with _small_disk(tmp_path / "disk") as disk:
        short = ("--lease", "60s", "--linger", "10s")
        finished = product.run(*capture_flags(pair, Bundle(disk / "bundle"), 10), *short).expect(1, 3, 4)

    assert "No space left" in finished.stderr
    assert str(disk) in finished.stderr
    # an agent that was still starting when the place filled up hears of nothing, and ends by its lease
    wait_until_none_runs(cluster.kubectl, pair.namespace, timeout=120)


def _wait_for_successor(stage: Stage, workload: str) -> str:
    """Wait for the Deployment to replace a pod that is being deleted, and return the new one's name."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        actors = stage.actors()
        if workload in actors and actors[workload].addresses:
            return actors[workload].pod
        time.sleep(0.5)
    raise AssertionError(f"no new pod of {workload}")


@contextmanager
def _small_disk(path: Path) -> Iterator[Path]:
    """Mount a file system of 64 KiB, in which the cluster's objects alone nearly fill the place."""
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
