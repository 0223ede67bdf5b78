"""What else reads captures: tcpdump, tshark in two ways, and Python libraries in their own environment."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

HERE = Path(__file__).resolve().parent
PINNED = {"pyshark": "0.6", "dpkt": "1.9.8", "nfstream": "6.6.0"}
POD = "10.244.0.10"
"""The pod that the original command asks for: a client in every made capture."""
BPF = "ip or ip6"

Command = Sequence[str]


def tcpdump(path: Path) -> Command:
    """libpcap's limit: read everything, filter, write it nowhere."""
    return ["tcpdump", "-n", "-r", str(path), "-w", "/dev/null", BPF]


def tshark_conversations(path: Path) -> Command:
    """tshark's tables of 5-tuples."""
    return ["tshark", "-n", "-q", "-r", str(path), "-z", "conv,tcp", "-z", "conv,udp"]


def tshark_start(empty: Path) -> Command:
    """tshark on a capture of no packets."""
    return ["tshark", "-n", "-r", str(empty)]


def original(path: Path) -> Command:
    """The command that tools of this kind began with: the SYNs of one pod, by a display filter."""
    wanted = f"ip.src == {POD} && tcp.flags.syn==1 && tcp.flags.ack==0"
    return ["tshark", "-r", str(path), "-Y", wanted, "-T", "fields", "-e", "ip.dst", "-e", "tcp.dstport"]


def original_for_each(directory: Path) -> Command:
    """The same for each file in turn."""
    words = [quote(word) for word in original(Path("FILE"))]
    words[words.index("FILE")] = '"$file"'
    return ["sh", "-c", f"for file in {quote(str(directory))}/*; do {' '.join(words)} || exit 1; done"]


class Libraries:
    """The virtual environment with the pinned versions of what is measured against."""

    def __init__(self, directory: Path) -> None:
        self.python = directory / "bin" / "python"
        self.directory = directory
        self.absent: dict[str, str] = {}

    def install(self) -> None:
        """Make it once; what does not install is remembered with the reason."""
        if not self.python.exists():
            venv.create(self.directory, with_pip=True)
        for name, version in PINNED.items():
            marker = self.directory / f"{name}-{version}.installed"
            if marker.exists():
                continue
            sys.stderr.write(f"installing {name} {version}\n")
            install = [str(self.python), "-m", "pip", "install", "--quiet", f"{name}=={version}"]
            done = subprocess.run(install, capture_output=True, text=True, check=False)
            if done.returncode:
                self.absent[name] = (done.stderr.strip().splitlines() or ["pip failed"])[-1][:100]
            else:
                marker.touch()

    def reader(self, name: str, path: Path) -> Command:
        """Read the capture by the library of this name."""
        return [str(self.python), str(HERE / "readers" / f"{name}_reader.py"), str(path)]


def versions() -> list[str]:
    """What was measured against, as the programs say it."""
    found = []
    for program in ("tcpdump", "tshark"):
        try:
            done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        except OSError:
            found.append(f"{program}: not installed")
            continue
        said = (done.stdout + done.stderr).splitlines()
        lines = [line for line in said if program in line.lower() and any(map(str.isdigit, line))]
        found.append(lines[0].strip() if lines else program)
    return found + [f"{name} {version}" for name, version in PINNED.items()]
