"""Files are private, whole or absent, and never written through somebody else's link."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kubectl_netpolgen.bundle.files import append_line, make_directory, write_lines, write_whole
from kubectl_netpolgen.model.errors import BundleError


@pytest.fixture(params=[0o000, 0o077, 0o777])
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """The process's umask, open, usual and absurd."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("any_umask")
def test_directories_are_0700_and_files_0600_whatever_the_umask(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "whole", b"x")
    append_line(tmp_path / "a" / "c" / "lines", "x")
    assert {mode(tmp_path / "a"), mode(tmp_path / "a/b"), mode(tmp_path / "a/c")} == {0o700}
    assert mode(tmp_path / "a/b/whole") == 0o600
    assert mode(tmp_path / "a/c/lines") <= 0o600


def test_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_directory(tmp_path)
    assert mode(tmp_path) == 0o755


def test_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("a much longer old content")
    target.chmod(0o644)
    write_whole(target, b"new")
    assert target.read_bytes() == b"new"
    assert mode(target) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_link_is_replaced_and_never_written_through(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    for name in ("file", ".file.part"):
        (tmp_path / name).symlink_to(precious)
    write_whole(tmp_path / "file", b"new")
    assert precious.read_text() == "mine"
    assert (tmp_path / "file").read_bytes() == b"new"
    (tmp_path / "lines").symlink_to(precious)
    with pytest.raises(BundleError):
        append_line(tmp_path / "lines", "x")
    assert precious.read_text() == "mine"


def test_long_names_fit_beside_themselves(tmp_path: Path) -> None:
    write_whole(tmp_path / ("x" * 255), b"x")
    assert [len(path.name) for path in tmp_path.iterdir()] == [255]


def test_writers_of_one_file_end_with_one_of_their_contents(tmp_path: Path) -> None:
    contents = [bytes([65 + number]) * 50_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_whole(tmp_path / "file", content), contents))
    assert (tmp_path / "file").read_bytes() in contents
    assert len(list(tmp_path.iterdir())) == 1


def test_lines_of_many_writers_stay_whole(tmp_path: Path) -> None:
    lines = [f"{number}:" + "x" * 2000 for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda line: append_line(tmp_path / "lines", line), lines))
    assert sorted((tmp_path / "lines").read_text().splitlines()) == sorted(lines)


@pytest.mark.parametrize("write", [lambda path: write_whole(path, b"x"), lambda path: append_line(path, "x")])
def test_what_the_file_system_refuses_is_an_error_with_a_way_out(tmp_path: Path, write: object) -> None:
    assert callable(write)
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "below", tmp_path / ("x" * 300) / "below", tmp_path / "a" / ("x" * 300)):
        with pytest.raises(BundleError, match="cannot be written") as caught:
            write(path)
        assert "--bundle" in caught.value.way_out


def test_line_that_the_disk_takes_in_part_is_an_error(tmp_path: Path) -> None:
    # a limit on the size of files takes the first part of a line and refuses the rest, as a full disk does
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from kubectl_netpolgen.bundle.files import append_line\n"
        "from kubectl_netpolgen.model.errors import BundleError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try:\n"
        "    append_line(Path(sys.argv[1]), 'a line that is longer than ten bytes')\n"
        "except BundleError as error:\n"
        "    sys.exit(0 if 'cannot be written' in error.message else 4)\n"
        "sys.exit(5)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "lines"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_lines_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "flows.jsonl"
    write_lines(path, (f"{number}\n".encode() for number in range(3)))
    assert path.read_text() == "0\n1\n2\n"

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_lines(path, broken())
    assert path.read_text() == "0\n1\n2\n"
    assert [item.name for item in tmp_path.iterdir()] == ["flows.jsonl"]
