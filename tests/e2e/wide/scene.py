"""The wide application on the cluster, its callers from outside, and what happens to it during a capture."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.e2e.boutique.player import Call
from tests.e2e.boutique.product import Bundle, Finished, Product
from tests.e2e.boutique.stage import Actor, Stage, in_parallel, temporary_namespace
from tests.e2e.pods import eventually
from tests.e2e.wide.addresses import give_again, ledger
from tests.e2e.wide.webhook import ask, issue_certificate, webhook
from tests.e2e.wide.workloads import ONE, PUBLIC, REPORT, Places, elsewhere, ordering, other_names, storage
from tests.harness import layout
from tests.harness.cluster import Harness
from tests.harness.kubectl import Kubectl
from tests.harness.layout import Layout
from tests.harness.processes import inside

PLAYER = Path(__file__).parents[1] / "boutique" / "player.py"


@dataclass(frozen=True)
class Scene:
    """The three namespaces with what runs in them."""

    kubectl: Kubectl
    where: Layout
    places: Places
    ordering: Stage
    storage: Stage
    elsewhere: Stage
    outside: Path
    """Where the caller from outside keeps its score."""

    @property
    def stages(self) -> tuple[Stage, Stage, Stage]:
        """All three, the neighbour last."""
        return (self.ordering, self.storage, self.elsewhere)

    def actors(self) -> list[tuple[Stage, Actor]]:
        """Return every pod that is here to stay."""
        return [(stage, actor) for stage in self.stages for actor in stage.all_actors()]

    def wait_for_calls(self, away: str = "") -> None:
        """Wait until every call of every pod, and of the caller outside, has succeeded again.

        One workload may be away: its calls and the calls to it are left out.
        """
        before = self._successes_outside()
        called = f"{away}-" if away else "nobody"

        def wait(stage: Stage) -> None:
            calls = stage.calls()
            stage.wait_for_calls({key for key in calls if key[0] != away and not key[1].startswith(called)})

        in_parallel(wait, self.stages)
        assert eventually(lambda: all(self._successes_outside()[name] > before[name] for name in before)), (
            f"node ports that do not answer: {before}"
        )

    def _successes_outside(self) -> dict[str, int]:
        files = {node.name: self.outside / node.name for node in layout.nodes(2)}
        return {
            name: json.loads(file.read_text())["successes"] if file.exists() else 0
            for name, file in files.items()
        }

    def restart(self) -> None:
        """Replace every pod of the captured namespaces."""
        in_parallel(Stage.restart, (self.ordering, self.storage))

    def node_port(self, service: str) -> int:
        """Return the number that a Service of the first namespace was given on every node."""
        found = self.kubectl.json("-n", self.places.ordering, "get", "service", service)
        port: int = found["spec"]["ports"][0]["nodePort"]
        return port

    def scale(self, name: str, replicas: int) -> None:
        """Give a Deployment of the first namespace so many pods, and wait until it has them."""
        where = ("-n", self.places.ordering)
        self.kubectl.run(*where, "scale", "deployment", name, f"--replicas={replicas}")
        if replicas:
            self.kubectl.run(*where, "rollout", "status", f"deployment/{name}", timeout=90)
        else:
            self.kubectl.wait(*where, "pods", f"--selector=app={name}", "--for=delete")

    def capture(self, product: Product, bundle: Bundle, duration: str) -> Finished:
        """Capture both namespaces while everything happens that this scene is about."""
        self.scale("late", 0)
        both = f"{self.places.ordering},{self.places.storage}"
        options = ("--duration", duration, "--bundle", str(bundle.path), "--default-deny", "--yes")
        with product.started("capture", "-n", both, *options, "-o", "json") as running:
            running.wait_for(bundle, "run-all-capturing")
            began = time.monotonic()
            self._happen(bundle.path.parent.name)
            took = time.monotonic() - began
            finished = running.finish()
        assert took < float(duration.rstrip("s")), f"it took {took:.0f} s for everything to happen"
        self.scale("early", 1)
        return finished

    def _happen(self, run: str) -> None:
        """Let one thing happen after the other: a job, a roll-out, an admission, an address given again."""
        here = ("-n", self.places.ordering)
        known, done = self._job_pods(), self._jobs_done()
        self._suspend(False)
        self.kubectl.run(*here, "rollout", "restart", "deployment/worker")
        self.kubectl.run(*here, "rollout", "status", "deployment/worker", "--timeout=60s")
        ask(self.kubectl, self.places, f"asked-{run}")
        assert eventually(lambda: self._job_pods() > known), "no job was started"
        self._suspend(True)
        # As long as it takes: a name's first packet may get lost, and a resolver then waits for five seconds.
        of_early = {key for key in self.ordering.calls() if "early" in key[0] + key[1]}
        self.ordering.wait_for_calls(of_early)
        left = self.ordering.actors()["early"]
        self.scale("early", 0)
        give_again(ledger(self.where, layout.Node(1)), left.addresses.values())
        self.scale("late", 1)
        came = self.ordering.actors()["late"]
        assert (left.node, came.node) == (ONE, ONE)
        assert came.addresses == left.addresses, "another pod took the address in between"
        ask(self.kubectl, self.places, f"asked-again-{run}")
        self.wait_for_calls(away="early")
        assert eventually(lambda: self._jobs_done() > done), "the job did not succeed"

    def miss_a_run(self) -> None:
        """Let the CronJob have missed a run, which it then makes up for as soon as it may run at all."""
        before = datetime.now(timezone.utc) - timedelta(minutes=2)
        patch = json.dumps({"status": {"lastScheduleTime": f"{before:%Y-%m-%dT%H:%M:%SZ}"}})
        where = ("-n", self.places.ordering, "patch", "cronjob", REPORT)
        self.kubectl.run(*where, "--subresource=status", "--type=merge", "-p", patch)

    def _suspend(self, suspended: bool) -> None:
        patch = json.dumps({"spec": {"suspend": suspended}})
        self.kubectl.run("-n", self.places.ordering, "patch", "cronjob", REPORT, "-p", patch)

    def _job_pods(self) -> set[str]:
        listed = self.kubectl.json("-n", self.places.ordering, "get", "pods", "-l", f"app={REPORT}")["items"]
        return {pod["metadata"]["name"] for pod in listed if pod["status"].get("phase") != "Pending"}

    def _jobs_done(self) -> int:
        listed = self.kubectl.json("-n", self.places.ordering, "get", "jobs")["items"]
        return sum(job["status"].get("succeeded", 0) for job in listed)


@contextmanager
def wide_scene(harness: Harness, directory: Path) -> Iterator[Scene]:
    """Put everything on the cluster, wait until all calls work, and take it away afterwards."""
    kubectl = harness.kubectl
    with ExitStack() as stack:
        names = [
            stack.enter_context(temporary_namespace(kubectl, prefix))
            for prefix in ("ordering", "storage", "elsewhere")
        ]
        places = Places(*names)
        first = Stage(kubectl, places.ordering, ordering(places))
        second = Stage(kubectl, places.storage, storage(places))
        third = Stage(kubectl, places.elsewhere, elsewhere(places))
        outside = directory / "outside"
        outside.mkdir()
        scene = Scene(kubectl, harness.where, places, first, second, third, outside)
        issue_certificate(kubectl, harness.authority, places, directory)
        kubectl.apply(*other_names(places))
        for stage in reversed(scene.stages):
            stage.deploy()
        scene.miss_a_run()
        stack.enter_context(webhook(kubectl, harness.authority, places))
        stack.enter_context(_caller_outside(scene))
        scene.wait_for_calls()
        yield scene


@contextmanager
def _caller_outside(scene: Scene) -> Iterator[None]:
    """Call the page's node port at both nodes from where the Internet is, over and over."""
    port = scene.node_port(PUBLIC)
    calls = [Call(node.name, node.address, port, "http") for node in layout.nodes(2)]
    role = {"listen": [], "call": [asdict(call) for call in calls], "scores": str(scene.outside)}
    command = inside(layout.WORLD, sys.executable, str(PLAYER))
    environment = {**os.environ, "PLAYER": json.dumps(role)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()
