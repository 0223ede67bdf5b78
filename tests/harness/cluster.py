"""Up, down, status and logs of the whole harness."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness import (
    addons,
    cgroups,
    control_plane,
    gobuild,
    images,
    kubeconfig,
    layout,
    network,
    node,
    pki,
    requirements,
    teardown,
    world,
)
from tests.harness.errors import HarnessError
from tests.harness.gobuild import Programs
from tests.harness.kubectl import Kubectl, KubectlError
from tests.harness.layout import Layout, Node
from tests.harness.processes import recorded_components

# Takes one line of what is being done.
Progress = Callable[[str], object]


@dataclass(frozen=True)
class Stopwatch:
    """Puts the seconds since its start before every line."""

    show: Progress
    start: float = field(default_factory=time.monotonic)

    def __call__(self, line: str) -> None:
        """Show the line with its time."""
        self.show(f"{time.monotonic() - self.start:6.1f}s {line}")


@contextmanager
def exclusive(where: Layout) -> Iterator[None]:
    """Let one `up` or `down` work at a time.

    The lock is the kernel's, so a killed `up` holds none; it lies in the cache, which `down` keeps.
    """
    where.cache.mkdir(parents=True, exist_ok=True)
    with (where.cache / "harness.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _need_root(verb: str) -> None:
    """Refuse what only root can do or see: another user's look at the processes would find none alive."""
    if os.geteuid() != 0:
        raise HarnessError(f"not root: run `sudo make cluster-{verb}`")


@dataclass(frozen=True)
class Harness:
    """The cluster as one thing."""

    where: Layout = field(default_factory=Layout)

    @property
    def kubectl(self) -> Kubectl:
        """kubectl with all rights."""
        return Kubectl(self.where.kubectl, self.where.admin_kubeconfig)

    @property
    def authority(self) -> pki.Authority:
        """The certificate authority, for tests that serve TLS inside the cluster."""
        return pki.Authority(self.where.pki)

    def up(self, count: int, progress: Progress) -> None:
        """Bring the cluster up, or find that it is."""
        nodes = layout.nodes(count)
        with exclusive(self.where):
            say = Stopwatch(progress)
            if self.is_healthy(count):
                self._write_user_files()
                say("the cluster is up already")
                return
            programs, archives = self.prepare(say)
            if teardown.leftovers(self.where):
                say("removing what an earlier run left")
                teardown.tear_down(self.where)
            self._start(nodes, programs, archives, say)

    def prepare(self, progress: Progress) -> tuple[Programs, Sequence[Path]]:
        """Check the machine, then build programs and images that are not in the cache."""
        cache = self.where.cache
        # A killed build leaves its scratch directory; the lock says that nobody else is building.
        for scratch in cache.glob("*/.*-*"):
            shutil.rmtree(scratch, ignore_errors=True)
        missing = gobuild.missing_modules(cache)
        toolbox_is_built = images.toolbox_archive(cache).is_file()
        requirements.check(needs_go=bool(missing), needs_mmdebstrap=not toolbox_is_built)
        for module in missing:
            progress(f"building {module.name} with Go (once; kept in {cache})")
            gobuild.build_module(module, cache)
        programs = gobuild.built_programs(cache)
        for name in images.missing_images(programs, cache):
            progress(f"building image {name} (once; kept in {cache})")
        return programs, images.build_images(programs, cache)

    def _start(
        self, nodes: Sequence[Node], programs: Programs, archives: Sequence[Path], say: Progress
    ) -> None:
        where = self.where
        for directory in (where.state, where.logs, where.pids):
            directory.mkdir(parents=True, exist_ok=True)
        teardown.remember_shared_directories(where)
        (where.state / "resolv.conf").write_text(f"nameserver {layout.WORLD_DNS.address}\n")
        network.create(nodes)
        for one in nodes:
            cgroups.create(one)
        say("network")
        with ThreadPoolExecutor(len(nodes)) as pool:
            runtimes = [pool.submit(node.start_runtime, one, where, archives) for one in nodes]
            self._start_control_plane(nodes, programs, say)
            for runtime in runtimes:
                runtime.result()
        say("container runtimes and images")
        for one in nodes:
            node.start_agents(one, where, programs, self._system(one.name), self._system("proxy"))
        addons.assign_pod_ranges(self.kubectl, nodes)
        say("nodes registered")
        addons.apply(self.kubectl)
        addons.wait_until_usable(self.kubectl, nodes)
        if dead := [name for name, runs in recorded_components(where).items() if not runs]:
            raise HarnessError(f"ended by themselves: {', '.join(dead)}; see {where.logs}")
        where.ready_marker.write_text(str(len(nodes)))
        say(f"{len(nodes)} nodes ready")

    def _start_control_plane(self, nodes: Sequence[Node], programs: Programs, say: Progress) -> None:
        where = self.where
        control_plane.etcd(where).start(where)
        tokens = pki.create(where.pki, nodes)
        authority = (where.pki / "ca.crt").read_bytes()
        for user, token in tokens.items():
            kubeconfig.write(self._system(user), kubeconfig.kubeconfig(user, token, authority))
        self._write_user_files()
        for component in world.components(where.pki):
            component.start(where)
        control_plane.api_server(where, programs).start(where)
        control_plane.wait_until_ready(where, tokens["admin"])
        say("API server")
        managed = control_plane.controller_manager(where, programs, self._system("controller-manager"))
        managed.start(where)
        control_plane.scheduler(programs, self._system("scheduler")).start(where)

    def _system(self, user: str) -> Path:
        return self.where.pki / f"{user}.kubeconfig"

    def _write_user_files(self) -> None:
        """Put kubeconfigs and kubectl into this checkout, which need not be the one that ran `up`."""
        where = self.where
        where.build.mkdir(parents=True, exist_ok=True)
        for user, target in (("admin", where.admin_kubeconfig), ("dev", where.dev_kubeconfig)):
            unfinished = target.with_suffix(".new")
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(self._system(user).read_bytes())
            unfinished.replace(target)
        if not where.kubectl.exists():
            where.kubectl.unlink(missing_ok=True)
            where.kubectl.symlink_to(gobuild.built_programs(where.cache)["kubectl"])

    def is_healthy(self, count: int | None = None) -> bool:
        """Whether a complete cluster, of `count` nodes if given, runs and answers."""
        where = self.where
        if os.geteuid() != 0 or not where.ready_marker.is_file():
            return False
        if count is not None and where.ready_marker.read_text() != str(count):
            return False
        components = recorded_components(where)
        return bool(components) and all(components.values()) and self._api_is_ready()

    def _api_is_ready(self) -> bool:
        admin = kubeconfig.token_of(self._system("admin"))
        return control_plane.api_is_ready(self.where.pki / "ca.crt", admin)

    def down(self) -> None:
        """Remove everything; nothing there is fine."""
        _need_root("down")
        with exclusive(self.where):
            teardown.tear_down(self.where)

    def status(self) -> tuple[bool, list[str]]:
        """Whether the cluster is usable, and lines that say so part by part."""
        where = self.where
        if not where.state.is_dir():
            return False, ["down"]
        _need_root("status")
        lines = [
            f"{'runs ' if runs else 'ENDED'}  {name:<24} {where.logs / name}.log"
            for name, runs in recorded_components(where).items()
        ]
        healthy = self.is_healthy()
        lines.append("up" if healthy else "started, but not healthy: `up` starts anew, `down` removes it")
        if healthy:
            self._write_user_files()
            try:
                lines += self.kubectl.run("get", "nodes,pods", "-A", "-o", "wide").stdout.splitlines()
            except KubectlError as error:
                return False, [*lines, str(error)]
        return healthy, lines

    def logs(self, count: int) -> list[str]:
        """Where every component's log is, with its last lines, and where the pods' logs are."""
        where = self.where
        lines: list[str] = []
        for log in sorted(where.logs.glob("*.log")):
            lines.append(f"==> {log} <==")
            lines += log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:] if count else []
        lines += [f"pods: {path}" for path in sorted(where.state.glob("node*/pod-logs"))]
        return lines or ["no logs: the cluster is down"]
