"""What the machine must have, and what to say for each thing it lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness.errors import HarnessError
from tests.harness.network import policy_queue_rule
from tests.harness.node import CNI_PLUGINS
from tests.harness.processes import SYSTEM_PATH, search_environment

PACKAGES = Path(__file__).with_name("packages.txt")

# Which Debian package brings which program; packages.txt is the list that is installed.
PROGRAMS = {
    "conntrack": "conntrack",
    "containerd": "containerd",
    "ctr": "containerd",
    "dnsmasq": "dnsmasq-base",
    "etcd": "etcd-server",
    "ip": "iproute2",
    "iptables": "iptables",
    "ip6tables": "iptables",
    "openssl": "openssl",
    "sysctl": "procps",
    "runc": "runc",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
_CNI_PACKAGE = "containernetworking-plugins"


@dataclass(frozen=True)
class Lack:
    """One thing the machine lacks and what to do about it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.what}: {self.remedy}"


@dataclass(frozen=True)
class KernelProbe:
    """A command that works only where the kernel has the feature.

    It runs in a network namespace that ends with it, so that it leaves nothing behind.
    """

    feature: str
    option: str
    command: str

    def works(self) -> bool:
        """Try it."""
        command = ["unshare", "--net", "sh", "-ec", self.command]
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=30,
            env=search_environment(),
        )
        return finished.returncode == 0


KERNEL_PROBES = (
    KernelProbe("network bridges", "CONFIG_BRIDGE (module bridge)", "ip link add b0 type bridge"),
    KernelProbe("virtual cables", "CONFIG_VETH (module veth)", "ip link add v0 type veth peer name v1"),
    KernelProbe(
        "overlay file systems", "CONFIG_OVERLAY_FS (module overlay)", "grep -qw overlay /proc/filesystems"
    ),
    KernelProbe(
        "packet filtering of bridged packets",
        "CONFIG_BRIDGE_NETFILTER (module br_netfilter)",
        "test -e /proc/sys/net/bridge/bridge-nf-call-iptables",
    ),
    KernelProbe(
        "IPv4 address translation",
        "CONFIG_NF_NAT with nft or iptables",
        "iptables -t nat -A POSTROUTING -j MASQUERADE",
    ),
    KernelProbe(
        "IPv6 address translation",
        "CONFIG_NF_NAT with nft or ip6tables",
        "ip6tables -t nat -A POSTROUTING -j MASQUERADE",
    ),
    KernelProbe(
        "IPv4 packet queues for policies",
        "CONFIG_NETFILTER_XT_TARGET_NFQUEUE and matches conntrack, addrtype",
        f"iptables -t mangle {policy_queue_rule('iptables')}",
    ),
    KernelProbe(
        "IPv6 packet queues for policies",
        "CONFIG_NETFILTER_XT_TARGET_NFQUEUE and matches conntrack, addrtype",
        f"ip6tables -t mangle {policy_queue_rule('ip6tables')}",
    ),
    KernelProbe(
        "random choice between a Service's pods",
        "CONFIG_NETFILTER_XT_MATCH_STATISTIC",
        "iptables -A OUTPUT -m statistic --mode random --probability 0.5 -m comment --comment x -j ACCEPT",
    ),
)


def packages() -> list[str]:
    """The Debian packages to install, for this check and for CI alike."""
    return PACKAGES.read_text(encoding="utf-8").split()


def _has(program: str) -> bool:
    # The component's search path counts, not the user's, which often lacks /usr/sbin.
    return shutil.which(program, path=SYSTEM_PATH) is not None


def missing_packages(programs: Sequence[str], cni_plugins: Path = CNI_PLUGINS) -> list[str]:
    """The packages whose programs are not there."""
    absent = {PROGRAMS[program] for program in programs if not _has(program)}
    if not all((cni_plugins / plugin).is_file() for plugin in ("bridge", "host-local", "portmap")):
        absent.add(_CNI_PACKAGE)
    return sorted(absent)


def _load_modules() -> None:
    """Ask for the modules that nothing loads by itself; a kernel with them built in has no modprobe."""
    modprobe = shutil.which("modprobe", path=SYSTEM_PATH)
    if modprobe is not None:
        for module in ("overlay", "br_netfilter"):
            subprocess.run([modprobe, "--quiet", module], capture_output=True, check=False)


def lacks(*, needs_go: bool, needs_mmdebstrap: bool) -> Iterator[Lack]:
    """Everything the machine lacks, the first reason first.

    The kernel is asked only once its questions can be asked: as root, with the programs there.
    """
    if not sys.platform.startswith("linux"):
        yield Lack("not Linux", "run the harness on a Linux machine, or give NETPOLGEN_E2E_KUBECONFIG")
        return
    if os.geteuid() != 0:
        yield Lack("not root", "network namespaces and mounts need it; run `sudo make cluster-up`")
    if needs_go and shutil.which("go") is None:
        yield Lack("no Go", "the cluster's programs are built from source; install Go 1.24 or newer")
    absent = missing_packages(tuple(PROGRAMS))
    if needs_mmdebstrap and not _has("mmdebstrap"):
        absent.append("mmdebstrap")
    if absent:
        yield Lack("missing Debian packages", f"apt-get install --no-install-recommends {' '.join(absent)}")
    if absent or os.geteuid() != 0:
        return
    _load_modules()
    for probe in KERNEL_PROBES:
        if not probe.works():
            yield Lack(f"the kernel has no {probe.feature}", f"it needs {probe.option}")


def check(*, needs_go: bool, needs_mmdebstrap: bool) -> None:
    """Raise one error that names everything that is missing, so that one round of repair is enough."""
    found = [str(lack) for lack in lacks(needs_go=needs_go, needs_mmdebstrap=needs_mmdebstrap)]
    if found:
        raise HarnessError("this machine cannot run the cluster:\n  " + "\n  ".join(found))
