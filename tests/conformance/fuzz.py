"""Damage without end, by seed: `python -m tests.conformance.fuzz --seed 1 --count 1000`, or `make fuzz`.

What breaks is kept in `tests/conformance/corpus`, where `test_corpus.py` reads it again in every run.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import sys
import tempfile
import traceback
from pathlib import Path

from kubectl_netpolgen.packets.reading import Engine
from tests.conformance.damage import mutations, prefixes, survive
from tests.conformance.test_flows_of_others import FOLDER
from tests.packets.columns.captures import mutated, read_with, some_traffic

CORPUS = Path(__file__).parent / "corpus"
MOST_MEMORY = 300 << 20


def main() -> int:
    """Fuzz; 1 when something broke."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--count", type=int, default=1000, help="mutations and prefixes of each file")
    chosen = words.parse_args()
    # a file that asks for more is ended by the kernel's word, and shown
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY * 6, MOST_MEMORY * 6))
    files = sorted(path for path in (FOLDER / "files").glob("*") if path.is_file()) if FOLDER.is_dir() else []
    if not files:
        sys.stderr.write(f"no conformance captures at {FOLDER}: only traffic of our own is damaged\n")
    broken = 0
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "fuzz.pcap"
        for file in files:
            content = file.read_bytes()
            damaged = [*mutations(content, seed=chosen.seed, count=chosen.count)]
            damaged += prefixes(content, seed=chosen.seed, most=chosen.count)
            for number, each in enumerate(damaged):
                broken += _try(each, path, Engine.FAST if number % 4 == 0 else Engine.EXACT)
            sys.stderr.write(f"{file.name}: {len(damaged)} variants\n")
        for seed in range(chosen.seed, chosen.seed + chosen.count):
            broken += _compare(seed, path)
    sys.stderr.write(f"{broken} broke; peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB\n")
    return 1 if broken else 0


def _try(content: bytes, path: Path, engine: Engine) -> int:
    try:
        survive(content, path, engine)
    except Exception:
        _keep(content)
        return 1
    return 0


def _compare(seed: int, path: Path) -> int:
    """Both engines on traffic of our own, damaged."""
    content = mutated(some_traffic(seed), seed)
    try:
        assert read_with("exact", content) == read_with("fast", content)
    except Exception:
        _keep(content)
        return 1
    return 0


def _keep(content: bytes) -> None:
    traceback.print_exc()
    CORPUS.mkdir(exist_ok=True)
    kept = CORPUS / f"{hashlib.sha256(content).hexdigest()[:16]}.pcap"
    kept.write_bytes(content)
    sys.stderr.write(f"kept as {kept}\n")


if __name__ == "__main__":
    sys.exit(main())
