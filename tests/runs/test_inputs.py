"""Words become files: directories, bundles, rotated series and standard input, in one order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@contextmanager
def closed(directory: Path, mode: int) -> Iterator[None]:
    """A directory with these permissions, which bind even root here."""
    directory.chmod(mode)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        directory.chmod(0o700)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, open to all, whatever the directories above it are."""
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return Path()


def test_files_keep_the_order_and_the_spelling_in_which_they_were_named(tmp_path: Path) -> None:
    touch(tmp_path, "b", "a")
    assert labels(tmp_path, "b", "./a", "absent", "-") == [["b"], ["./a"], ["absent"], ["-"]]
    items = find_inputs(["b", "absent", "-", "a\0b"], tmp_path).files
    assert [(item.path, item.size) for item in items] == [
        (tmp_path / "b", 1),
        (tmp_path / "absent", 0),
        (None, 0),
        (tmp_path / "a\0b", 0),
    ]


def test_standard_input_is_read_once_only(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="once"):
        find_inputs(["-", "-"], tmp_path)


def test_a_word_that_an_unset_variable_left_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="empty word"):
        find_inputs(["a", ""], tmp_path)


@pytest.mark.parametrize(
    ("name", "base", "number"),
    [
        ("x.pcap", "x.pcap", -1),
        ("x.pcap0", "x.pcap", 0),
        ("x.pcap1", "x.pcap", 1),
        ("x.pcap007", "x.pcap", 7),
        ("x.pcapng12", "x.pcapng", 12),
        ("eth0.1.cap3", "eth0.1.cap", 3),
        ("web-1", "web-1", -1),
        ("dump1", "dump1", -1),
        ("dump.1", "dump.1", -1),
        ("1.2", "1.2", -1),
        ("10.0.0.1", "10.0.0.1", -1),
        ("", "", -1),
    ],
)
def test_a_rotated_file_is_known_by_the_number_behind_its_ending(name: str, base: str, number: int) -> None:
    assert rotation(name) == (base, number)


@given(st.text(max_size=40))
def test_any_name_has_a_series_that_it_begins_with(name: str) -> None:
    base, number = rotation(name)
    assert name.startswith(base)
    assert number >= -1


def test_a_rotated_series_is_one_group_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    touch(tmp_path, "d/x.pcap", "d/x.pcap1", "d/x.pcap2", "d/x.pcap10", "d/y.pcap", "d/web-1", "d/web-2")
    assert labels(tmp_path, "d/") == [
        ["d/web-1"],
        ["d/web-2"],
        ["d/x.pcap", "d/x.pcap1", "d/x.pcap2", "d/x.pcap10"],
        ["d/y.pcap"],
    ]


def test_a_series_lies_in_one_directory_and_its_files_stand_together(tmp_path: Path) -> None:
    touch(tmp_path, "d/x.pcap", "d/x.pcap1", "d/x.pcap2", "d/x.pcapng", "d/e/x.pcap3")
    assert labels(tmp_path, "d") == [
        ["d/e/x.pcap3"],
        ["d/x.pcap", "d/x.pcap1", "d/x.pcap2"],
        ["d/x.pcapng"],
    ]
    assert labels(tmp_path, "d/x.pcap1", "d/x.pcap2", "-", "d/x.pcap") == [
        ["d/x.pcap1", "d/x.pcap2"],
        ["-"],
        ["d/x.pcap"],
    ]


def test_a_directory_is_walked_in_the_order_of_its_names(tmp_path: Path) -> None:
    touch(tmp_path, "d/b.pcap", "d/a/z.pcap", "d/a/.hidden", "d/c.txt", "first", "last")
    assert labels(tmp_path, "last", "d", "first") == [
        ["last"],
        ["d/a/z.pcap"],
        ["d/b.pcap"],
        ["d/c.txt"],
        ["first"],
    ]


@pytest.mark.parametrize(
    ("operand", "label"),
    [("d", "d/a"), ("d/", "d/a"), ("./d//", "./d/a"), (".", "./d/a"), ("d/../d", "d/../d/a")],
)
def test_labels_below_a_directory_are_as_it_was_given_and_joined(
    tmp_path: Path, operand: str, label: str
) -> None:
    touch(tmp_path, "d/a")
    assert labels(tmp_path, operand) == [[label]]


def test_an_absolute_operand_stays_one(tmp_path: Path) -> None:
    touch(tmp_path, "d/a")
    assert labels(Path("/nonexistent"), f"{tmp_path}/d") == [[f"{tmp_path}/d/a"]]


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


def test_a_bundle_may_be_named_itself_with_or_without_a_slash(tmp_path: Path) -> None:
    a_bundle(tmp_path / "bundle")
    for operand in ("bundle", "bundle/"):
        (group,) = find_inputs([operand], tmp_path).groups
        assert group.recorded is not None
        assert [item.label for item in group.inputs] == [
            f"bundle/captures/uid-{name}-1/1a2b3c4d.pcap" for name in ("api", "batch", "web")
        ]


def test_a_broken_bundle_without_captures_has_none(tmp_path: Path) -> None:
    touch(tmp_path, "b/bundle.json")
    inputs = find_inputs(["b"], tmp_path)
    assert inputs.files == ()
    assert [finding.code for finding in inputs.findings] == ["bundle-unreadable"]


def test_links_that_lead_nowhere_or_out_are_told_and_those_inside_read_once(tmp_path: Path) -> None:
    touch(tmp_path, "d/a.pcap", "far/b.pcap")
    (tmp_path / "d/again.pcap").symlink_to("a.pcap")
    (tmp_path / "d/itself").symlink_to("itself")
    (tmp_path / "d/far").symlink_to(tmp_path / "far")
    inputs = find_inputs(["d"], tmp_path)
    assert [item.label for item in inputs.files] == ["d/a.pcap"]
    # whether a link to itself leads anywhere depends on the version of Python
    assert {finding.subject for finding in inputs.findings} - {"d/itself"} == {"d/far"}
    assert {finding.code for finding in inputs.findings} == {"link-not-followed"}


def test_a_link_that_was_named_is_followed(tmp_path: Path) -> None:
    touch(tmp_path, "far/b.pcap")
    (tmp_path / "near").symlink_to("far")
    assert labels(tmp_path, "near", "near/b.pcap") == [["near/b.pcap"], ["near/b.pcap"]]


def test_pipes_in_a_directory_are_left_alone_and_one_that_was_named_is_not(tmp_path: Path) -> None:
    touch(tmp_path, "d/a.pcap")
    os.mkfifo(tmp_path / "d/pipe")
    assert labels(tmp_path, "d") == [["d/a.pcap"]]
    (item,) = find_inputs(["d/pipe"], tmp_path).files
    assert (item.label, item.size) == ("d/pipe", 0)


def test_a_directory_that_cannot_be_listed_is_told_among_the_others(here: Path) -> None:
    touch(here, "d/closed/a.pcap", "d/b.pcap")
    with closed(here / "d" / "closed", 0o311):
        inputs = find_inputs(["d"], here)
    assert [item.label for item in inputs.files] == ["d/b.pcap"]
    assert [(item.code, item.subject) for item in inputs.findings] == [("directory-unreadable", "d/closed")]


def test_a_file_in_a_closed_directory_is_an_input_that_reading_speaks_of(here: Path) -> None:
    touch(here, "closed/a.pcap")
    with closed(here / "closed", 0):
        (item,) = find_inputs(["closed/a.pcap"], here).files
    assert (item.path, item.size) == (here / "closed/a.pcap", 0)


@pytest.mark.parametrize("mode", [0, 0o444])
def test_a_directory_that_nobody_may_enter_is_told_among_the_others(here: Path, mode: int) -> None:
    touch(here, "d/closed/a.pcap", "d/b.pcap")
    with closed(here / "d" / "closed", mode):
        inputs = find_inputs(["d"], here)
    assert "d/b.pcap" in [item.label for item in inputs.files]
    assert mode or [(item.code, item.subject) for item in inputs.findings] == [
        ("directory-unreadable", "d/closed")
    ]


def test_a_named_directory_that_cannot_be_listed_is_told_by_its_name(here: Path) -> None:
    touch(here, "closed/a.pcap")
    with closed(here / "closed", 0o311):
        inputs = find_inputs(["closed"], here)
    assert [(item.code, item.subject) for item in inputs.findings] == [("directory-unreadable", "closed")]


def test_directories_too_deep_for_a_path_are_told_among_the_others(here: Path) -> None:
    touch(here, "d/a.pcap")
    top = Path.cwd()
    os.chdir("d")
    try:
        for _ in range(20):
            Path("n" * 250).mkdir()
            os.chdir("n" * 250)
    finally:
        os.chdir(top)
    inputs = find_inputs(["d"], here)
    assert "d/a.pcap" in [item.label for item in inputs.files]
