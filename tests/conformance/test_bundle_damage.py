"""Bundles damaged anyhow: an answer or an error to act on, soon, and nothing lost in silence."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

import kubectl_netpolgen
from kubectl_netpolgen.bundle.reader import Recorded, read_bundle
from kubectl_netpolgen.commands import analyse
from kubectl_netpolgen.documents.json_text import load_lines
from kubectl_netpolgen.model.errors import BundleError, ExitStatus, NetpolgenError
from kubectl_netpolgen.runs.publish import Format
from tests.bundles import a_bundle
from tests.cli.factories import Heard, an_environment
from tests.conformance.bundle_damage import damaged_file

RECORDED = Path(kubectl_netpolgen.__file__).parent / "recorded"
LONGEST = 20.0
"""Seconds that the analysis of either bundle may take, a hundred times what it takes undamaged."""
DECISIONS = """\
decisions:
- {edge: 0123456789ab, verdict: accept, peer: {podSelector: {matchLabels: {app: db}}}, ports: [5433]}
- {edge: ba9876543210, verdict: drop}
"""


def content_of(root: Path) -> dict[str, bytes]:
    """Every file of a bundle by its name."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def write(root: Path, files: Mapping[str, bytes]) -> None:
    """The bundle with these files."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def damaged(files: Mapping[str, bytes], seed: int) -> dict[str, bytes]:
    """The bundle with one to three files damaged; what the cluster said more often than what pods did."""
    chance = random.Random(seed)
    few = [name for name in files if not name.startswith("captures/")]
    chosen = {
        chance.choice(few if chance.random() < 0.7 else list(files)) for _ in range(chance.choice((1, 1, 3)))
    }
    return {
        name: damaged_file(name, content, chance) if name in chosen else content
        for name, content in files.items()
    }


def survive(root: Path) -> str:
    """Analyse as the command does; whatever is not an error of ours is a failure of the test."""
    began = time.monotonic()
    for output in Format:
        world = Heard(an_environment(directory=root))
        options = analyse.Options(root, output, True, {"default_deny": True}, None)
        try:
            status = analyse.run(options, world.environment)
        except NetpolgenError as error:
            assert error.message
            assert error.way_out
            status = error.status
        assert status in (ExitStatus.DONE, ExitStatus.ERROR, ExitStatus.PARTIAL, ExitStatus.NOTHING)
    assert time.monotonic() - began < LONGEST
    return world.stderr


def unaccounted(recorded: Recorded, name: str, read: int) -> int:
    """Lines of a file less those that were read or told as damaged."""
    values = [value for _, value in load_lines((recorded.root / name).read_text("utf-8", errors="replace"))]
    told = [item.message for item in recorded.findings if item.subject == name]
    more = sum(int(match[1]) for text in told if (match := re.match(r"(\d+) more lines were left out", text)))
    each = sum(1 for text in told if re.match(r"line \d+( \(.*\))? was left out: .", text, re.DOTALL))
    return len(values) - read - each - more


@pytest.fixture(autouse=True)
def nothing_draws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Graphviz would take most of the time, and its own tests draw odd names."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_small_bundle_is_survived_whatever_is_damaged(start: int, tmp_path: Path) -> None:
    files = content_of(a_bundle(tmp_path / "whole", decisions=DECISIONS))
    for seed in range(start, start + 20):
        write(tmp_path / f"{seed}", damaged(files, seed))
        survive(tmp_path / f"{seed}")


@pytest.mark.parametrize("start", range(0, 60, 10))
def test_recorded_bundle_is_survived_whatever_is_damaged(start: int, tmp_path: Path) -> None:
    files = {**content_of(RECORDED), "decisions.yaml": DECISIONS.encode()}
    for seed in range(start, start + 10):
        write(tmp_path / "bundle", damaged(files, seed))
        survive(tmp_path / "bundle")


@pytest.mark.parametrize("seed", range(40))
def test_every_line_is_an_object_or_a_finding(seed: int, tmp_path: Path) -> None:
    files, chance = content_of(RECORDED), random.Random(seed)
    names = ("cluster/objects.jsonl", "cluster/events.jsonl")
    write(tmp_path, {**files, **{name: damaged_file(name, files[name], chance) for name in names}})
    recorded = read_bundle(tmp_path)
    unused = sum(
        int(item.message.split()[0]) for item in recorded.findings if item.code == "objects-not-used"
    )
    missing = [
        unaccounted(recorded, name, len(read))
        for name, read in zip(names, (recorded.objects, recorded.events), strict=True)
    ]
    assert sum(missing) == unused


@pytest.mark.parametrize("seed", range(60))
def test_manifest_is_understood_or_refused_by_name(seed: int, tmp_path: Path) -> None:
    files = content_of(a_bundle(tmp_path / "whole"))
    files["bundle.json"] = damaged_file("bundle.json", files["bundle.json"], random.Random(seed))
    write(tmp_path / "damaged", files)
    try:
        read_bundle(tmp_path / "damaged")
    except BundleError as error:
        assert "bundle.json" in error.message


def test_line_with_a_field_twice_means_the_later_one(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle")
    path = root / "cluster/objects.jsonl"
    path.write_text(path.read_text().replace('"name":"web-1"', '"name":[],"name":"web-1"'))
    assert read_bundle(root).findings == ()


def test_damage_does_damage(tmp_path: Path) -> None:
    """A test of nothing would pass: most seeds change what is read."""
    files = content_of(a_bundle(tmp_path / "whole"))
    path = "cluster/objects.jsonl"
    whole = [json.loads(line) for line in files[path].splitlines()]
    changed = 0
    for seed in range(30):
        text = damaged_file(path, files[path], random.Random(seed)).decode(errors="replace")
        changed += [value for _, value in load_lines(text)] != whole
    assert changed > 20
