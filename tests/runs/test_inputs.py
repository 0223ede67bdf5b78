"""Words become files: directories, bundles, rotated series and standard input, in one order."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_netpolgen.model.errors import UsageError
from kubectl_netpolgen.runs.inputs import find_inputs, rotation
from tests.bundles import a_bundle


def labels(directory: Path, *operands: str) -> list[list[str]]:
    return [[item.label for item in group.inputs] for group in find_inputs(operands, directory).groups]


def touch(directory: Path, *names: str) -> None:
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_files_keep_the_order_and_the_spelling_in_which_they_were_named(tmp_path: Path) -> None:
    touch(tmp_path, "b", "a")
    assert labels(tmp_path, "b", "./a", "absent", "-") == [["b"], ["./a"], ["absent"], ["-"]]
    (item,) = find_inputs(["b"], tmp_path).files
    assert (item.path, item.size) == (tmp_path / "b", 1)


def test_standard_input_is_read_once_only(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="once"):
        find_inputs(["-", "-"], tmp_path)


@pytest.mark.parametrize(
    ("name", "base", "number"),
    [
        ("x.pcap", "x.pcap", -1),
        ("x.pcap1", "x.pcap", 1),
        ("x.pcap007", "x.pcap", 7),
        ("web-1", "web-1", -1),
        ("1.2", "1.2", -1),
    ],
)
def test_a_rotated_file_is_known_by_the_number_behind_its_ending(name: str, base: str, number: int) -> None:
    assert rotation(name) == (base, number)


def test_a_rotated_series_is_one_group_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    touch(tmp_path, "d/x.pcap", "d/x.pcap1", "d/x.pcap2", "d/x.pcap10", "d/y.pcap", "d/web-1", "d/web-2")
    assert labels(tmp_path, "d/") == [
        ["d/web-1"],
        ["d/web-2"],
        ["d/x.pcap", "d/x.pcap1", "d/x.pcap2", "d/x.pcap10"],
        ["d/y.pcap"],
    ]


def test_hidden_files_and_links_out_of_the_directory_are_left_alone(tmp_path: Path) -> None:
    touch(tmp_path, "d/.hidden", "d/.git/x", "d/in", "out")
    (tmp_path / "d" / "link").symlink_to(tmp_path / "out")
    (tmp_path / "d" / "loop").symlink_to(tmp_path / "d")
    inputs = find_inputs(["d"], tmp_path)
    assert [item.label for item in inputs.files] == ["d/in"]
    assert [(finding.code, finding.subject) for finding in inputs.findings] == [
        ("link-not-followed", "d/link")
    ]


def test_the_captures_of_a_bundle_are_one_group_with_what_was_recorded(tmp_path: Path) -> None:
    a_bundle(tmp_path / "d" / "bundle")
    touch(tmp_path, "d/a.pcap", "d/z.pcap")
    inputs = find_inputs(["d"], tmp_path)
    first, bundle, last = inputs.groups
    assert ([item.label for item in first.inputs], [item.label for item in last.inputs]) == (
        ["d/a.pcap"],
        ["d/z.pcap"],
    )
    assert bundle.recorded is not None
    assert len(bundle.inputs) == 3
    assert all(item.label.startswith("d/bundle/captures/uid-") for item in bundle.inputs)


def test_a_broken_bundle_still_has_files(tmp_path: Path) -> None:
    touch(tmp_path, "b/bundle.json", "b/captures/u/r.pcap")
    inputs = find_inputs(["b"], tmp_path)
    assert [item.label for item in inputs.files] == ["b/captures/u/r.pcap"]
    assert [finding.code for finding in inputs.findings] == ["bundle-unreadable"]
