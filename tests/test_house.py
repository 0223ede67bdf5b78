"""The rules of the house that a reader could check by hand: layers, doors, sizes, tests beside modules."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components import needs

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "kubectl_netpolgen"
LONGEST_MODULE = 400

DOORS = {
    "kubernetes": ("cluster/",),
    "websocket": ("cluster/",),
    "urllib3": ("cluster/",),
    "yaml": ("documents/",),
    "rich": ("output/",),
    "graphviz": ("output/graph.py",),
    "pyshark": ("packets/",),
    "numpy": ("packets/",),
    "zstandard": ("packets/compression.py",),
    "subprocess": ("cluster/", "packets/", "output/graph.py"),
    "socket": ("cluster/",),
    "ssl": ("cluster/",),
}
"""Where a library may be imported."""

ELSEWHERE = {"requests", "httpx", "aiohttp", "lxml", "http", "multiprocessing", "pickle", "pty"}
"""What nothing of ours should need."""

PURE = ("model", "semantics", "analysis", "generation")
IMPURE = {
    "os",
    "time",
    "random",
    "socket",
    "subprocess",
    "ssl",
    "threading",
    "urllib",
    "tempfile",
    "shutil",
    "locale",
}


def sources() -> list[Path]:
    """Every module of the package, sorted."""
    return sorted(PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    """`output/graph.py`."""
    return path.relative_to(PACKAGE).as_posix()


def imports(path: Path) -> Iterator[str]:
    """The top-level names of everything that a module imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


def tracked_texts() -> list[tuple[str, str]]:
    """Name and content of every text file that is in the repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("a source archive has no list of its files")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    texts = []
    for name in filter(None, listed.split("\0")):
        try:
            texts.append((name, (ROOT / name).read_text(encoding="utf-8")))
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return texts


def test_layers_and_doors_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    finished = subprocess.run(
        [program, "--config", "setup.cfg", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize("path", sources(), ids=place)
def test_third_party_libraries_come_through_their_door(path: Path) -> None:
    for name in imports(path):
        assert name not in ELSEWHERE, f"{place(path)} imports {name}"
        if name in DOORS:
            assert place(path).startswith(DOORS[name]), f"{place(path)} imports {name}"


@pytest.mark.parametrize("path", [path for path in sources() if place(path).startswith(PURE)], ids=place)
def test_the_lower_four_rooms_are_pure(path: Path) -> None:
    assert not IMPURE.intersection(imports(path))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in {"now", "utcnow", "today"}, (
                f"{place(path)}:{node.lineno} asks the clock"
            )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "input", "print", "hash"}, f"{place(path)}:{node.lineno}"


def test_every_module_has_its_test_module() -> None:
    expected = {
        ROOT / "tests" / path.relative_to(PACKAGE).with_name(f"test_{path.name}")
        for path in sources()
        if path.name not in ("__init__.py", "__main__.py")
    }
    missing = sorted(path.relative_to(ROOT).as_posix() for path in expected if not path.is_file())
    assert missing == []


def test_every_test_module_has_its_module() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    orphans = [
        path.relative_to(ROOT).as_posix()
        for room in sorted(rooms)
        for path in sorted((ROOT / "tests" / room).glob("test_*.py"))
        if not (PACKAGE / room / path.name.removeprefix("test_")).is_file()
    ]
    assert orphans == []


def test_no_module_is_too_long_to_read() -> None:
    modules = [*sources(), *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "docs").rglob("*.py"))]
    lengths = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in modules
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_modules_are_named_by_their_concept() -> None:
    vague = re.compile(r"utils?|helpers?|managers?|data|info|misc|common|base")
    assert [place(path) for path in sources() if vague.fullmatch(path.stem)] == []


@pytest.mark.parametrize("path", sources(), ids=place)
def test_nothing_prints_or_exits_but_the_owners_of_the_streams(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "exit", "quit", "breakpoint"}, f"{place(path)}:{node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            streams = {"stdout", "stderr", "stdin", "exit"}
            assert node.attr not in streams or place(path).startswith("cli/"), f"{place(path)}:{node.lineno}"


@pytest.mark.parametrize("path", sources(), ids=place)
def test_public_things_say_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.read_text(encoding="utf-8").strip():
        assert ast.get_docstring(tree), f"{place(path)} has no docstring"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{place(path)}:{node.lineno} {node.name} has no docstring"


@needs("git")
def test_nothing_is_left_unfinished_or_hidden_from_measurement() -> None:
    marks = re.compile(
        r"\b(TO" r"DO|FIX" r"ME|NotImplemented" r"Error|mock\." r"patch)\b|pragma: no " r"cover"
    )
    found = [
        f"{name}:{number}"
        for name, text in tracked_texts()
        if name.endswith((".py", ".sh", ".md", ".cfg", ".toml"))
        for number, line in enumerate(text.splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


@needs("git")
def test_no_file_names_the_machine_it_was_written_on() -> None:
    paths = re.compile(r"(?<![\w.])/(?:wo" r"rk|ro" r"ot)/\w|\.py" r"env/versions/\d")
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if paths.search(line)
    ]
    assert found == []


def test_only_what_is_asked_for_is_imported() -> None:
    # a static look at imports cannot see what one module drags in through another
    program = (
        "import sys\n"
        "import kubectl_netpolgen.cli.main, kubectl_netpolgen.cli.completion, kubectl_netpolgen.cli.help\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
        "print(*sorted(name for name in sys.modules if name.startswith('kubectl_netpolgen.')))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    libraries, ours = (set(line.split()) for line in finished.stdout.splitlines())
    assert not libraries.intersection(DOORS.keys() - {"subprocess", "socket"})
    rooms = {name.split(".")[1] for name in ours}
    assert rooms == {"cli", "model", "output"}
