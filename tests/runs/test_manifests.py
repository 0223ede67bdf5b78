"""Files, folders and standard input; what was not given is not read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kubectl_netpolgen.model.errors import ExitStatus, InvalidManifest, UsageError
from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.runs.manifests import read_manifests
from tests.cli.factories import an_environment

POD = "kind: Pod\nmetadata: {name: %s}\nspec: {}\n"


def read(directory: Path, *paths: str, piped: str = "", strict: bool = False) -> Manifests:
    environment = an_environment(directory=directory, answers=piped)
    return read_manifests(paths, environment=environment, strict=strict)


def names(found: Manifests) -> list[str]:
    return [pod.name for pod in found.pods]


def test_a_folder_is_read_with_all_below_it_by_name(tmp_path: Path) -> None:
    for name in ("b/z.yml", "a.yaml", "b/c.json", "README.md", "b/.hidden.yaml"):
        file = tmp_path / "all" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        word = file.name.partition(".")[0] or "hidden"
        document = {"kind": "Pod", "metadata": {"name": word}, "spec": {}}
        file.write_text(json.dumps(document) if name.endswith("json") else POD % word)
    found = read(tmp_path, "all/")
    assert names(found) == ["a", "hidden", "c", "z"]
    assert [origin.file for origin in found.origins.values()] == [
        "all/a.yaml",
        "all/b/.hidden.yaml",
        "all/b/c.json",
        "all/b/z.yml",
    ]


def test_standard_input_and_a_file_of_any_name_are_read(tmp_path: Path) -> None:
    (tmp_path / "dump").write_text(POD % "x")
    found = read(tmp_path, "-", "dump", piped=POD % "y")
    assert [(key.name, origin.file) for key, origin in found.origins.items()] == [("y", "-"), ("x", "dump")]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.yaml: no such file or folder"):
        read(tmp_path, "missing.yaml")


def test_a_link_out_of_the_folder_is_not_followed_and_said(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(POD % "secret")
    folder = tmp_path / "all"
    folder.mkdir()
    (folder / "in.yaml").write_text(POD % "in")
    (folder / "near.yaml").symlink_to(folder / "real")
    (folder / "real").write_text(POD % "near")
    (folder / "far.yaml").symlink_to(tmp_path / "outside.yaml")
    (folder / "up").symlink_to(tmp_path)
    found = read(tmp_path, "all")
    assert names(found) == ["in", "near"]
    assert [(item.code, item.subject) for item in found.findings] == [("link-left-out", "far.yaml")]


def test_a_document_that_is_no_yaml_is_told_with_its_line_and_the_rest_is_used(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text((POD % "a") + "---\na: [\n---\n" + (POD % "b"))
    found = read(tmp_path, "x.yaml")
    assert names(found) == ["a", "b"]
    (finding,) = found.findings
    assert finding.code == "not-yaml"
    assert finding.subject.startswith("x.yaml:")
    assert 4 <= int(finding.subject.rpartition(":")[2]) <= 6


def test_strict_stops_there(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: [\n")
    with pytest.raises(InvalidManifest, match=r"^x\.yaml:\d: "):
        read(tmp_path, "x.yaml", strict=True)


def test_what_the_api_server_refuses_ends_with_status_two_and_all_reasons(tmp_path: Path) -> None:
    lines = "".join(f"kind: Pod\nmetadata: {{name: p{n}, labels: {{a: {n}}}}}\n---\n" for n in range(30))
    (tmp_path / "x.yaml").write_text(lines)
    with pytest.raises(InvalidManifest, match="the API server would refuse these manifests") as refused:
        read(tmp_path, "x.yaml")
    assert refused.value.status is ExitStatus.USAGE
    shown = refused.value.way_out.splitlines()
    assert shown[0] == "x.yaml:1: Pod default/p0: metadata.labels.a: 0 is no text; quote it"
    assert shown[-1] == "and 10 more"


def test_bytes_that_are_no_text_are_refused_by_place(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"kind: \xff")
    with pytest.raises(InvalidManifest, match=r"x\.yaml: is not UTF-8 at byte 6"):
        read(tmp_path, "x.yaml")


def test_a_mark_of_byte_order_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbf" + (POD % "a").encode())
    assert names(read(tmp_path, "x.yaml")) == ["a"]


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    os.mkfifo(tmp_path / "all" / "x.yaml")
    found = read(tmp_path, "all")
    assert [item.code for item in found.findings] == ["no-file"]
