"""The captures that measurements run on: made when missing, kept for the next run."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

SOURCES = ("exchanges", "files", "frames", "hosts", "layouts", "packets", "payloads", "scans", "traffic")
"""The modules whose words decide the bytes."""
STAMP = "made-by.sha256"
COPYING = 1 << 20


class CannotMake(Exception):
    """A capture cannot be made here; says why."""


class Store:
    """A directory of captures; those that another version of the generator made are dropped."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        stamp, version = directory / STAMP, generator_version()
        if stamp.exists() and stamp.read_text() != version:
            for old in directory.glob("made-*"):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        stamp.write_text(version)

    def mix(self, packets: int, *, link: str = "ethernet", pcapng: bool = False, seed: int = 1) -> Path:
        """Realistic traffic in one file."""
        words = ["--packets", str(packets), "--link", link, "--seed", str(seed), *["--pcapng"] * pcapng]
        name = f"made-{packets}-{link}-{seed}.{'pcapng' if pcapng else 'pcap'}"
        return self._made(name, lambda path: generate(path, *words))

    def one_way(self, kind: str, packets: int) -> Path:
        """A port scan or a flood."""
        return self._made(
            f"made-{packets}-{kind}.pcap",
            lambda path: generate(path, "--kind", kind, "--packets", str(packets)),
        )

    def series(self, files: int, packets: int) -> Path:
        """A directory of so many files, each of another seed."""

        def fill(path: Path) -> None:
            path.mkdir()
            for number in range(files):
                words = ["--packets", str(packets), "--seed", str(number + 1)]
                generate(path / f"{number:03}.pcap", *words)

        return self._made(f"made-{files}x{packets}", fill)

    def compressed(self, path: Path, how: str) -> Path:
        """The file as gzip (level 6) or Zstandard (level 3). Raises CannotMake."""
        return self._made(f"{path.name}.{how}", lambda out: (to_gzip if how == "gz" else to_zstd)(path, out))

    def empty(self) -> Path:
        """A capture of no packets: what is left of a reader's time is its start."""
        return self._made("made-empty.pcap", lambda path: generate(path, "--packets", "0"))

    def _made(self, name: str, make: Callable[[Path], None]) -> Path:
        path, unfinished = self.directory / name, self.directory / f"{name}.part"
        if not path.exists():
            if unfinished.is_dir():
                shutil.rmtree(unfinished)
            sys.stderr.write(f"making {name}\n")
            make(unfinished)
            unfinished.rename(path)
        return path


def generator_version() -> str:
    """A digest of the generator's source."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest() + "\n"


def generate(path: Path, *words: str) -> None:
    """Run the generator in a process of its own: its memory must not count for what is measured."""
    root = Path(__file__).resolve().parents[1]
    subprocess.run([sys.executable, "-m", "bench.traffic", str(path.resolve()), *words], check=True, cwd=root)


def to_gzip(path: Path, out: Path) -> None:
    """Write a gzip file that says no time."""
    with path.open("rb") as plain, out.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        shutil.copyfileobj(plain, packed, COPYING)


def to_zstd(path: Path, out: Path) -> None:
    """Write a Zstandard file by its program."""
    program = shutil.which("zstd")
    if program is None:
        raise CannotMake("needs the program zstd")
    subprocess.run([program, "-q", "-3", "-o", str(out), str(path)], check=True)


def warm(path: Path) -> None:
    """Read everything once, so that no run waits for a disk that another did not wait for."""
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        with file.open("rb") as content:
            while content.read(COPYING):
                pass


def size(path: Path) -> int:
    """Bytes of the file, or of a directory's files."""
    return sum(file.stat().st_size for file in (path.iterdir() if path.is_dir() else [path]))
