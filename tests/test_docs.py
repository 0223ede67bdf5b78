"""The documents cannot drift: what is generated is fresh, links lead somewhere, commands parse."""

from __future__ import annotations

import configparser
import itertools
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from docs.generate import commands_table, generated, plugin_yaml, readme
from kubectl_netpolgen.analysis.expressions import FIELDS
from kubectl_netpolgen.analysis.filter_parser import parse_filter
from kubectl_netpolgen.cli.flags import COMMON_FLAGS
from kubectl_netpolgen.cli.help import usage
from kubectl_netpolgen.cli.parser import HelpRequest, Invocation, parse
from kubectl_netpolgen.cli.verbs import VERBS
from kubectl_netpolgen.documents.yaml_text import load_documents
from kubectl_netpolgen.model.errors import ExitStatus
from kubectl_netpolgen.model.rows import RowKind
from kubectl_netpolgen.output.flow_cells import CSV_COLUMNS

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:`|^ *(?:\$ )?)kubectl netpolgen((?: [^`\n]*)?)(?:`|$)", re.MULTILINE)


def page_name(path: Path) -> str:
    """The page as a person would name it."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", sorted(generated()), ids=page_name)
def test_what_is_generated_is_fresh(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generated()[path], "run: make docs"


def test_the_plugin_descriptor_is_the_parsers_tree() -> None:
    (tree,) = load_documents(plugin_yaml())
    assert [entry["name"] for entry in tree["tree"]] == [verb.name for verb in VERBS]
    common = [flag["name"] for flag in tree["flags"]]
    assert common == [flag.name for flag in COMMON_FLAGS]
    for entry, verb in zip(tree["tree"], VERBS, strict=True):
        operands = [operand.choices[0] if operand.choices else "x" for operand in verb.operands]
        invocation = parse([verb.name, *operands], program="p")
        assert isinstance(invocation, Invocation)
        for flag in [*entry.get("flags", ()), *tree["flags"]]:
            spellings = [f"--{flag['name']}"] + ([f"-{flag['shorthand']}"] if "shorthand" in flag else [])
            assert spellings == list(
                reversed(next(f for f in verb.all_flags if f.name == flag["name"]).spellings)
            )


def test_the_descriptor_keeps_to_the_schema_of_its_day() -> None:
    (tree,) = load_documents((ROOT / "plugin.yaml").read_text(encoding="utf-8"))
    for entry in (tree, *tree["tree"]):
        known = {"name", "shortDesc", "longDesc", "example", "command", "flags", "tree", "x-netpolgen"}
        assert set(entry) <= known
        for flag in entry.get("flags", ()):
            assert set(flag) <= {"name", "shorthand", "desc", "defValue", "x-netpolgen"}
            assert flag["desc"]


def test_a_readme_without_its_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="marks"):
        readme("# nothing here")
    assert all(f"`{usage(verb, 'kubectl netpolgen')}`" in commands_table() for verb in VERBS)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name) if name else page
        assert path.exists(), f"{page_name(page)} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_commands_in_the_documents_parse(page: Path) -> None:
    for words in COMMAND.findall(page.read_text(encoding="utf-8")):
        if "[flags]" in words:
            continue
        plain = words.replace("COMMAND", "").split(" > ")[0]
        request = parse(shlex.split(plain, comments=True), program="kubectl netpolgen")
        assert isinstance(request, (Invocation, HelpRequest))


def test_make_targets_in_the_documents_exist() -> None:
    makefile = ROOT / "Makefile"
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile.read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(
            r"(?:`|^)(?:\w+=\w+ )?make ([a-z][\w-]*)", page.read_text(encoding="utf-8"), re.M
        ):
            assert target in targets, f"{page_name(page)}: make {target}"


def test_the_readme_lists_every_exit_status() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == sorted(ExitStatus)


def krew_manifest() -> dict[str, Any]:
    """The manifest as krew would read it."""
    (manifest,) = load_documents((ROOT / "krew-manifest.yaml").read_text(encoding="utf-8"))
    assert isinstance(manifest, dict)
    return manifest


def test_the_krew_manifest_keeps_krews_rules() -> None:
    # krew internal/index/validation/validate.go, cmd/validate-krew-manifest/main.go
    manifest = krew_manifest()
    assert manifest["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2"
    assert manifest["kind"] == "Plugin"
    assert re.fullmatch(r"[\w-]+", manifest["metadata"]["name"])
    spec = manifest["spec"]
    assert re.fullmatch(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", spec["version"])
    assert spec["description"]
    assert 0 < len(spec["shortDescription"]) <= 50
    assert "\n" not in spec["shortDescription"]
    assert "kubectl" not in spec["shortDescription"]


def test_each_krew_platform_is_whole_and_none_overlap() -> None:
    platforms = krew_manifest()["spec"]["platforms"]
    selectors = [platform["selector"]["matchLabels"] for platform in platforms]
    assert selectors
    for platform, labels in zip(platforms, selectors, strict=True):
        assert set(platform) <= {"selector", "uri", "sha256", "bin", "files"}
        assert labels
        assert set(labels) <= {"os", "arch"}
        assert platform["uri"].startswith("https://")
        assert platform["uri"].endswith((".tar.gz", ".zip"))
        assert re.fullmatch(r"[0-9a-f]{64}", platform["sha256"])
        assert platform["bin"]
        assert ".." not in platform["bin"]
    for one, other in itertools.combinations(selectors, 2):
        assert any(key in one and key in other and one[key] != other[key] for key in ("os", "arch"))


def test_one_version_everywhere() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    version = setup["metadata"]["version"]
    assert krew_manifest()["spec"]["version"] == f"v{version}"
    for platform in krew_manifest()["spec"]["platforms"]:
        assert f"/v{version}/" in platform["uri"]


def test_every_filter_in_the_documents_parses() -> None:
    text = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"## Filter\n.*?```\n(.*?)```", text, re.DOTALL)
    lines = block.splitlines()
    assert len(lines) >= 8
    for line in lines:
        parse_filter(line, RowKind.CONVERSATIONS)


def test_every_field_of_filters_and_every_key_of_rows_is_described() -> None:
    text = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
    for word in (*FIELDS, *(key for keys in CSV_COLUMNS.values() for key in keys)):
        assert f"`{word}`" in text, word


def test_every_trap_has_its_tests_or_says_that_it_is_open() -> None:
    page = (ROOT / "tests" / "analysis" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, 47))
    for number, _, cell in rows:
        tests = re.findall(r"`([a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", cell)
        assert tests or "open:" in cell, number
        for file, name in tests:
            source = (ROOT / "tests" / file).read_text(encoding="utf-8")
            assert re.search(rf"^def {name}\(", source, re.MULTILINE), f"{number}: {file}::{name}"
