"""How long edges and policies of conversations take, and in how much memory: one process, one size."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bench.applications import Application
from bench.measuring import Spread
from bench.table import Table, figure, spread
from kubectl_netpolgen.analysis.derivation import Capture, derive_edges
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.generation.excess import find_excess
from kubectl_netpolgen.generation.options import GenerationOptions
from kubectl_netpolgen.generation.policies import generate_policies
from kubectl_netpolgen.generation.proof import prove
from kubectl_netpolgen.packets.collection import without_collection

SECONDS, MEGABYTES = 10, 500
"""What a million flows may take."""
MOST_ROUNDS = 3
STEPS = ("edges", "policies", "proof", "excess")
FULL = ((2_000, 300, 1), (2_000, 300, 8), (2_000, 300, 30), (2_000, 300, 85))
QUICK = ((200, 30, 4), (200, 30, 16))
"""Pods, workloads, and how many others each calls."""


class Clock:
    """Seconds of several steps, without those that making the input took."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self._begun = time.perf_counter()
        self._elsewhere = 0.0

    def step(self, name: str) -> None:
        """End a step, and begin the next."""
        now = time.perf_counter()
        self.steps[name] = now - self._begun - self._elsewhere
        self._begun, self._elsewhere = now, 0.0

    def without(self, captures: Iterator[Capture]) -> Iterator[Capture]:
        """The captures, with their making taken out of the step."""
        while True:
            begun = time.perf_counter()
            capture = next(captures, None)
            self._elsewhere += time.perf_counter() - begun
            if capture is None:
                return
            yield capture


def analyse(application: Application) -> dict[str, object]:
    """Edges, policies, proof and excess; how many, how long, how much memory at most."""
    objects = list(application.objects())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock = Clock()
    timeline = Timeline(objects)
    clock.step("timeline")
    with without_collection():
        found = derive_edges(clock.without(application.captures()), {}, timeline)
    clock.step("edges")
    captured = {timeline.top_owner(pod).key for pod in timeline.pods.values()}
    options = GenerationOptions(default_deny=True)
    generated = generate_policies(found.edges, captured, found.identities, decisions={}, options=options)
    clock.step("policies")
    proof = prove(generated.edges, generated.policies, timeline, decisions={})
    clock.step("proof")
    excess = find_excess(generated.edges, generated.policies, timeline, assumed=generated.dns_rules)
    clock.step("excess")
    if proof.failures or not generated.policies:
        raise SystemExit("the policies do not hold: nothing was measured")
    return {
        "flows": len(found.flows),
        "edges": len(found.edges),
        "policies": len(generated.policies),
        "excess": len(excess),
        "seconds": clock.steps,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "objects": before * 1024,
    }


def run(pods: int, workloads: int, calls: int) -> dict[str, Any]:
    """The same in a process of its own, whose memory is nobody else's."""
    words = ["--pods", str(pods), "--workloads", str(workloads), "--calls", str(calls)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.analysis", *words], stdout=subprocess.PIPE, check=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def table(rounds: int, say: Callable[[str], None], *, quick: bool) -> Table:
    """Sizes from ten thousand flows to a million, all of one application that calls more and more."""
    header = ["application", "flows", "edges", "s min / median / max", "s per million flows", "peak MB"]
    header += ["reached", "edges s", "policies s", "proof s", "excess s", "rounds"]
    lines = []
    for pods, workloads, calls in QUICK if quick else FULL:
        work = f"{pods:,} pods, {workloads} workloads, {calls} calls each"
        say(work)
        found = [run(pods, workloads, calls) for _ in range(min(rounds, MOST_ROUNDS))]
        lines.append(_row(work, found))
    note = f"At a million flows: at most {SECONDS} s and {MEGABYTES} MB, after the packets were read."
    return Table("Edges and policies", header, lines, [note])


def _row(work: str, found: Sequence[dict[str, Any]]) -> list[str]:
    flows, edges = found[0]["flows"], found[0]["edges"]
    took = Spread(tuple(sum(item["seconds"].values()) for item in found))
    peak = max(item["peak"] for item in found) / 1e6
    steps = [Spread(tuple(item["seconds"][step] for item in found)).median for step in STEPS]
    reached = "least" if took.median <= SECONDS and peak <= MEGABYTES else "no"
    numbers = [f"{flows:,}", f"{edges:,}", spread(took), figure(took.median / flows * 1e6), figure(peak)]
    return [work, *numbers, reached, *map(figure, steps), str(len(found))]


def main(words: Iterable[str]) -> int:
    """Analyse an application of the given size, and print what it took as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.analysis", description=__doc__)
    parser.add_argument("--pods", type=int, default=2_000)
    parser.add_argument("--workloads", type=int, default=300)
    parser.add_argument("--calls", type=int, default=85, help="workloads that each workload calls")
    chosen = parser.parse_args(list(words))
    application = Application(chosen.pods, chosen.workloads, chosen.calls)
    sys.stdout.write(json.dumps(analyse(application)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
