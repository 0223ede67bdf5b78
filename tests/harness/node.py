"""One node: container runtime, kubelet and kube-proxy in a network namespace of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.harness import layout
from tests.harness.errors import HarnessError
from tests.harness.gobuild import Programs
from tests.harness.layout import Layout, Node
from tests.harness.processes import Component, run

CNI_PLUGINS = Path("/usr/lib/cni")


def cni_configuration(node: Node, where: Layout) -> dict[str, Any]:
    """The node's pod network: a bridge with addresses in order out of the node's two ranges."""
    return {
        "cniVersion": "1.0.0",
        "name": layout.CNI_NETWORK,
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "ipMasq": False,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(where.node(node) / "ipam"),
                    "ranges": [[{"subnet": node.pod_range}], [{"subnet": node.pod_range_v6}]],
                    "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def containerd_configuration(node: Node, where: Layout) -> str:
    """The container runtime's settings: everything under the node's own directory.

    Without CAP_SYS_RESOURCE no process may protect itself from the OOM killer, and containers would
    not start at all: hence `restrict_oom_score_adj`.
    """
    directory = where.node(node)
    return f"""version = 2
root = "{directory}/containerd"
state = "{directory}/run"
[grpc]
  address = "{where.containerd_socket(node)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{layout.PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
"""


def kubelet_configuration(node: Node, where: Layout) -> dict[str, Any]:
    """The kubelet's settings."""
    directory = where.node(node)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{where.pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{where.pki}/{node.name}.crt",
        "tlsPrivateKeyFile": f"{where.pki}/{node.name}.key",
        "containerRuntimeEndpoint": f"unix://{where.containerd_socket(node)}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.CGROUP}/{node.name}",
        "failCgroupV1": False,
        "failSwapOn": False,
        # A negative score needs CAP_SYS_RESOURCE.
        "oomScoreAdj": 0,
        "clusterDNS": [layout.CLUSTER_DNS],
        "clusterDomain": "cluster.local",
        "resolvConf": str(where.state / "resolv.conf"),
        "healthzBindAddress": "127.0.0.1",
        "podLogsDir": str(where.pod_logs(node)),
        "volumePluginDir": f"{directory}/volume-plugins",
        "maxPods": 200,
        "serializeImagePulls": False,
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
        # A full disk of the machine must not throw the tests' pods and images away.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
    }


def proxy_configuration(node: Node, kubeconfig: Path) -> dict[str, Any]:
    """kube-proxy's settings; limits of the machine's connection tracking stay as they are."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": f"{layout.POD_RANGE},{layout.POD_RANGE_V6}",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "hostnameOverride": node.name,
        "oomScoreAdj": 0,
        "conntrack": {"maxPerCore": 0, "min": 0},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    }


def start_runtime(node: Node, where: Layout, archives: Sequence[Path]) -> None:
    """Start containerd and give it the images: nothing is ever pulled."""
    directory = where.node(node)
    (directory / "cni").mkdir(parents=True)
    network = json.dumps(cni_configuration(node, where), indent=2)
    (directory / "cni" / "10-npg.conflist").write_text(network)
    (directory / "containerd.toml").write_text(containerd_configuration(node, where))
    Component(
        f"containerd-{node.name}",
        ("containerd", "-c", str(directory / "containerd.toml")),
        node.network_namespace,
    ).start(where)
    ctr = ("ctr", "--address", str(where.containerd_socket(node)), "--namespace", "k8s.io")
    _wait_for_runtime(node, where, ctr)
    for archive in archives:
        run(*ctr, "images", "import", archive)


def _wait_for_runtime(node: Node, where: Layout, ctr: Sequence[str]) -> None:
    for _ in range(200):
        if run(*ctr, "version", check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise HarnessError(f"containerd does not answer; see {where.logs / f'containerd-{node.name}.log'}")


def start_agents(
    node: Node, where: Layout, programs: Programs, node_kubeconfig: Path, proxy_kubeconfig: Path
) -> None:
    """Start kubelet and kube-proxy; they need the API server."""
    directory = where.node(node)
    kubelet = json.dumps(kubelet_configuration(node, where), indent=2)
    (directory / "kubelet.json").write_text(kubelet)
    (directory / "proxy.json").write_text(json.dumps(proxy_configuration(node, proxy_kubeconfig), indent=2))
    Component(
        f"kubelet-{node.name}",
        (
            str(programs["kubelet"]),
            f"--config={directory}/kubelet.json",
            f"--kubeconfig={node_kubeconfig}",
            f"--root-dir={directory}/kubelet",
            f"--cert-dir={directory}/kubelet-certificates",
            f"--hostname-override={node.name}",
            f"--node-ip={node.address},{node.address_v6}",
            "--v=2",
        ),
        node.network_namespace,
    ).start(where)
    Component(
        f"kube-proxy-{node.name}",
        (str(programs["kube-proxy"]), f"--config={directory}/proxy.json"),
        node.network_namespace,
    ).start(where)
