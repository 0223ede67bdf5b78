"""How long verify takes on large clusters, from process start to exit: manifests, flows, one run."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.measuring import Spread, resident
from bench.table import Table, figure, spread

SECONDS, AIM, MEGABYTES = 15, 8, 1_200
MOST_ROUNDS = 3
REPLICAS = 4
FULL = (
    ("many", 10_000, 10_000, 1_000_000, 400_000, False),
    ("crowd", 10_000, 10_000, 1_000_000, 400_000, True),
    ("crowd", 10_000, 10_000, 100, 100, False),
)
QUICK = (("many", 400, 400, 5_000, 2_000, False), ("crowd", 400, 400, 5_000, 2_000, True))
"""Shape, pods, policies, lines, distinct ones, and whether only id and verdict are wanted.

Of `many`, policies select a workload each; of `crowd`, all pods of the one namespace.
"""


def documents(shape: str, pods: int, policies: int) -> Iterator[dict[str, Any]]:
    """Pods of as many labels as there are workloads, and policies that name a few others each."""
    spaces = 1 if shape == "crowd" else 50
    workloads = max(pods // REPLICAS, 1)
    for number in range(pods):
        workload = number % workloads
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"w{workload}-{number}",
                "namespace": f"ns-{workload % spaces}",
                "labels": {"app": f"w{workload}", "tier": f"t{workload % 10}"},
                "annotations": {"note": "x" * 600},
            },
            "spec": {"nodeName": f"node-{number % 100}", "containers": [{"name": "c"}]},
            "status": {"phase": "Running", "podIP": _address(number)},
        }
    for number in range(policies):
        workload = number % workloads
        dice = random.Random(number)
        peers = [f"w{dice.randrange(workloads)}" for _ in range(3)]
        rule = {
            "from": [
                {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": peer}}} for peer in peers
            ],
            "ports": [{"port": 8000 + number % 20, "protocol": "TCP"}],
        }
        yield {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"p{number}", "namespace": f"ns-{workload % spaces}"},
            "spec": {
                "podSelector": {} if shape == "crowd" else {"matchLabels": {"app": f"w{workload}"}},
                "policyTypes": ["Ingress"],
                "ingress": [rule],
            },
        }


def flows(shape: str, pods: int, policies: int, lines: int, distinct: int) -> Iterator[str]:
    """Lines in no order, half of them what some policy allows."""
    spaces = 1 if shape == "crowd" else 50
    workloads = max(pods // REPLICAS, 1)
    dice = random.Random(1)
    made = []
    for _ in range(distinct):
        server, client, port = dice.randrange(pods), dice.randrange(pods), 8000 + dice.randrange(20)
        if dice.random() < 0.5:
            number = dice.randrange(policies)
            peers = random.Random(number)
            server = number % workloads
            client, port = peers.randrange(workloads), 8000 + number % 20
        ends = (f"ns-{pod % workloads % spaces}/w{pod % workloads}-{pod}" for pod in (client, server))
        source, destination = ({"pod": end} for end in ends)
        flow = {"source": source, "destination": destination, "protocol": "TCP", "port": port}
        made.append(json.dumps(flow, separators=(",", ":"))[1:])
    for number in range(lines):
        text = made[number] if number < distinct else dice.choice(made)
        yield f'{{"id":"f-{number}",{text}\n'


def _address(number: int) -> str:
    return f"10.{244 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


def run(
    shape: str, pods: int, policies: int, lines: int, distinct: int, brief: bool
) -> tuple[float, float, int]:
    """Seconds, millions of bytes, and lines of the answer of one process."""
    with tempfile.TemporaryDirectory() as made:
        objects, asked, told = (Path(made, name) for name in ("objects.json", "flows.jsonl", "told.jsonl"))
        with objects.open("w") as stream:
            json.dump({"kind": "List", "items": list(documents(shape, pods, policies))}, stream)
        with asked.open("w") as stream:
            stream.writelines(flows(shape, pods, policies, lines, distinct))
        words = [
            sys.executable,
            "-m",
            "kubectl_netpolgen",
            "verify",
            "-f",
            str(objects),
            "--flows",
            str(asked),
        ]
        words += ["-o", "jsonl", *["--brief"] * brief]
        begun, peak = time.perf_counter(), 0
        with told.open("w") as out, subprocess.Popen(words, stdout=out, stderr=subprocess.PIPE) as process:
            while process.poll() is None:
                peak = max(peak, resident(process.pid))
                time.sleep(0.02)
            took = time.perf_counter() - begun
            if process.returncode not in (0, 1):
                assert process.stderr is not None
                raise SystemExit(process.stderr.read().decode())
        with told.open() as stream:
            return took, peak / 1e6, sum(1 for _ in stream)


def table(rounds: int, say: Callable[[str], None], *, quick: bool) -> Table:
    """Each shape, judged in full or in brief."""
    header = ["work", "s min / median / max", "at most", "aim", "peak MB", "reached", "rounds"]
    lines = []
    for shape, pods, policies, asked, distinct, brief in QUICK if quick else FULL:
        work = f"{shape}: {pods:,} pods, {policies:,} policies, {asked:,} lines{', --brief' if brief else ''}"
        say(work)
        found = [run(shape, pods, policies, asked, distinct, brief) for _ in range(min(rounds, MOST_ROUNDS))]
        if any(told != asked for _, _, told in found):
            raise SystemExit("some lines have no answer: nothing was measured")
        took, peak = Spread(tuple(item[0] for item in found)), max(item[1] for item in found)
        reached = (
            "no" if took.median > SECONDS or peak > MEGABYTES else "least" if took.median > AIM else "aim"
        )
        lines.append([work, spread(took), f"{SECONDS}", f"{AIM}", figure(peak), reached, str(len(found))])
    note = f"From process start to exit, with loading and output; at most {MEGABYTES:,} MB."
    return Table("Verify", header, lines, [note])


def main(words: Iterable[str]) -> int:
    """Write the manifests or the flows of a shape, to look at what is measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.semantics", description=__doc__)
    parser.add_argument("what", choices=("objects", "flows"))
    parser.add_argument("--shape", choices=("many", "crowd"), default="many")
    parser.add_argument("--pods", type=int, default=10_000)
    parser.add_argument("--policies", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--distinct", type=int, default=400_000)
    chosen = parser.parse_args(list(words))
    if chosen.what == "objects":
        items = list(documents(chosen.shape, chosen.pods, chosen.policies))
        sys.stdout.write(json.dumps({"kind": "List", "items": items}) + "\n")
    else:
        made = flows(chosen.shape, chosen.pods, chosen.policies, chosen.lines, chosen.distinct)
        sys.stdout.writelines(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
