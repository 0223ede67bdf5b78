"""The verbs as declarations: words, flags, operands and examples of each."""

from __future__ import annotations

from kubectl_netpolgen.cli.flags import (
    ALL_NAMESPACES,
    NO_HEADERS,
    SELECTOR,
    YES,
    Flag,
    Kind,
    dry_run_flag,
    output_flag,
)
from kubectl_netpolgen.cli.policy_verbs import CONNECTIVITY, DIFF, EXPLAIN, VERIFY
from kubectl_netpolgen.cli.verb import Operand, Verb

DEFAULT_DENY = Flag(
    "default-deny",
    "also write the policy that denies everything else in the namespace, last in order",
    Kind.SWITCH,
)
DNS = Flag(
    "dns",
    "who may ask the cluster's DNS: every workload with egress (assumed), or those seen to (observed)",
    Kind.CHOICE,
    choices=("assumed", "observed"),
    default="assumed",
)
PER = Flag(
    "per",
    "who shares a policy: nobody, all of a namespace, or workloads whose label KEY has the same value",
    Kind.CHOICE,
    choices=("workload", "namespace", "label=KEY"),
    default="workload",
)
DIRECTION = Flag(
    "direction",
    "which directions the policies isolate",
    Kind.CHOICE,
    choices=("ingress", "egress", "both"),
    default="both",
)
MIN_CONNECTIONS = Flag(
    "min-connections",
    "leave edges that were seen less often without a rule, and say which",
    Kind.NUMBER,
    metavar="N",
)
EXCLUDE = Flag(
    "exclude",
    "leave edges without a rule by their id or the name of an end (a shell pattern; repeatable; '' for none)",
    Kind.REPEATED,
    metavar="PATTERN",
)
WIDEN_EXTERNAL = Flag(
    "widen-external",
    "write the smallest range for a server outside that was seen with several addresses under one name",
    Kind.SWITCH,
)
SERVICE_PORTS = Flag(
    "service-ports",
    "also allow the ports that Services are dialled on, where the plugin judges before translation",
    Kind.SWITCH,
)
DECLARED = Flag(
    "declared",
    "also allow edges that manifests imply and that were not seen; declared.jsonl lists them",
    Kind.SWITCH,
)
GENERATION = tuple(
    flag._replace(remembered=True)
    for flag in (
        *(PER, DEFAULT_DENY, DNS, DIRECTION, MIN_CONNECTIONS, EXCLUDE),
        *(WIDEN_EXTERNAL, SERVICE_PORTS, DECLARED),
    )
)
"""How the policies are wanted; recorded in the bundle."""

CAPTURE = Verb(
    "capture",
    "Watch a namespace's traffic and write the policies that allow it",
    "Watch the traffic of every pod of a namespace for a while and write the NetworkPolicies that allow "
    "exactly what was seen. Each pod gets an ephemeral container that runs tcpdump with the least "
    "privilege that works; the captures are pulled into a bundle, a directory from which everything else is "
    "made and can be made again. Stop early with Ctrl-C: what was captured is kept. An ephemeral "
    "container ends by itself, but its entry stays in the pod's spec until the pod is replaced.",
    (
        ("Watch the namespace shop for a minute", "capture -n shop"),
        (
            "Watch two namespaces for ten minutes, without asking",
            "capture -n shop,payments --duration 10m --yes",
        ),
        ("Only the pods of one application, as JSON", "capture -n shop -l app=web -o json"),
        ("Say what would be done, and do nothing", "capture -n shop --dry-run"),
    ),
    flags=(
        Flag("duration", "how long to watch", Kind.DURATION, metavar="TIME", default="60s"),
        ALL_NAMESPACES,
        SELECTOR,
        Flag(
            "image",
            "image with sh and tcpdump for the ephemeral container; also $NETPOLGEN_IMAGE",
            metavar="IMAGE",
        ),
        Flag("bundle", "directory to create for the run (default: netpolgen-NAMESPACE-TIME)", metavar="DIR"),
        Flag(
            "read-config",
            "look for Services in environments and ConfigMaps; nothing but their names and ports is kept",
            Kind.SWITCH,
        ),
        *GENERATION,
        Flag(
            "lease",
            "how long an agent goes on when nobody collects from it",
            Kind.DURATION,
            metavar="TIME",
            default="180s",
        ),
        Flag(
            "linger",
            "how long a finished agent waits to be collected",
            Kind.DURATION,
            metavar="TIME",
            default="900s",
        ),
        output_flag("table", "json"),
        NO_HEADERS,
        dry_run_flag("say what would be done; client asks the cluster nothing but its objects"),
        YES,
    ),
)

ANALYSE = Verb(
    "analyse",
    "Make table, policies and graph again, from a bundle alone",
    "Repeat everything that follows a capture, from the bundle alone: flows, edges, policies, their proof "
    "and the graph. The same bundle gives the same bytes. The derived files in the bundle are written anew; "
    "decisions.yaml is read and never changed. How policies were asked for is recorded in the bundle and "
    "holds until a flag says otherwise, as --default-deny=false, --min-connections=0 and --exclude='' do.",
    (
        ("Everything again, after editing decisions.yaml", "analyse netpolgen-shop-20260102-030405"),
        (
            "One policy for all workloads of an application",
            "analyse netpolgen-shop-20260102-030405 --per label=app.kubernetes.io/part-of",
        ),
        ("The edges as JSON", "analyse netpolgen-shop-20260102-030405 -o json"),
    ),
    flags=(
        *GENERATION,
        Flag("decisions", "decisions to apply, instead of the bundle's decisions.yaml", metavar="FILE"),
        output_flag("table", "json"),
        NO_HEADERS,
    ),
    operands=(Operand("BUNDLE", "the directory that a capture wrote", directory=True),),
    aliases=("analyze",),
)

FLOWS = Verb(
    "flows",
    "List the flows of capture files or bundles, without a cluster",
    "List who talked to whom in capture files of any kind: pcap and pcapng, compressed or not, from pods or "
    "from somebody else's tcpdump, single files, directories, bundles or standard input. A row is a client, "
    "a server, a protocol and a server port; or a 5-tuple, or a name and the address it stood for. Its "
    "fields are described in docs/flows.md.",
    (
        ("What is in a capture?", "flows dump.pcap"),
        (
            "Every connection of a directory's captures, for a program",
            "flows captures/ --conversations -o jsonl",
        ),
        (
            "Only what reached port 443 of one network",
            "flows dump.pcap --filter 'port == 443 and server in 10.0.0.0/8'",
        ),
        ("What name stood for which address", "flows dump.pcap --names"),
        ("From a pipe", "flows - < dump.pcap"),
    ),
    flags=(
        output_flag("table", "json", "jsonl", "csv"),
        Flag("conversations", "a row for each 5-tuple instead of each flow", Kind.SWITCH),
        Flag("names", "a row for each name and address", Kind.SWITCH),
        Flag(
            "filter",
            "only rows that an expression holds for: port == 443 and not client in 10.0.0.0/8",
            metavar="EXPR",
        ),
        Flag("inner", "also rows for what is inside VXLAN, Geneve, IP-in-IP and GRE", Kind.SWITCH),
        Flag(
            "tshark",
            "when to start tshark: for the few names that only it can read, always also for whole files of "
            "link types that are not read here, or never",
            Kind.CHOICE,
            choices=("auto", "always", "never"),
            default="auto",
            bare="always",
        ),
        Flag("verify", "compare the counts with tshark's own; exit with 1 if they differ", Kind.SWITCH),
        Flag(
            "engine",
            "which reader counts: the standard library's (exact), numpy's (fast), or by size (auto); the "
            "result is the same",
            Kind.CHOICE,
            choices=("auto", "exact", "fast"),
            default="auto",
        ),
        Flag(
            "workers",
            "how many processes read; 1 for this one only (default: by size)",
            Kind.NUMBER,
            metavar="N",
        ),
        NO_HEADERS,
    ),
    operands=(
        Operand(
            "INPUT",
            "capture files, directories, bundles, or - for standard input",
            files=True,
            repeated=True,
        ),
    ),
)

CLEAN = Verb(
    "clean",
    "End agents that an interrupted capture left running",
    "Find the ephemeral containers of this tool that still run in a namespace and tell them to end. Their "
    "entries in the pods' specs cannot be removed by anybody; they go when the pod is replaced.",
    (
        ("End what still runs in the namespace shop", "clean -n shop"),
        ("Only list it", "clean -n shop --dry-run"),
    ),
    flags=(ALL_NAMESPACES, SELECTOR, dry_run_flag("list what would be ended, and end nothing"), YES),
)

DOCTOR = Verb(
    "doctor",
    "Check this machine, the cluster and your rights before a capture",
    "Check what a capture needs and touch nothing: the kubeconfig, the server's version, each right, what "
    "PodSecurity admits, and the optional programs on this machine.",
    (("Would a capture of the namespace shop work?", "doctor -n shop"),),
    flags=(ALL_NAMESPACES, SELECTOR),
)

RBAC = Verb(
    "rbac",
    "Print the Role that a capture needs",
    "Print the Role with the least rights that a capture of the namespace needs, for an administrator to "
    "read and apply. How to bind it is said on stderr.",
    (
        ("The Role for the namespace shop", "rbac -n shop"),
        ("And the ClusterRole that names peers in other namespaces", "rbac -n shop --cluster-wide"),
    ),
    flags=(
        Flag(
            "cluster-wide",
            "also a ClusterRole that only reads, so that peers elsewhere have names",
            Kind.SWITCH,
        ),
        Flag("read-config", "also what capture --read-config needs: to list ConfigMaps", Kind.SWITCH),
    ),
)

VERSION = Verb(
    "version",
    "Print the version",
    "Print the version of the tool and of the formats it writes.",
    (("For a bug report", "version -o yaml"),),
    flags=(output_flag("text", "json", "yaml"),),
)

DEMO = Verb(
    "demo",
    "Analyse a recorded bundle, without a cluster",
    "Copy a bundle that was recorded on a real cluster into a new directory and run the real analysis on it: "
    "table, policies and graph, in a second and without a cluster.",
    (("See what the tool makes of Online Boutique", "demo"),),
    flags=(Flag("bundle", "directory to create (default: netpolgen-demo-TIME)", metavar="DIR"),),
)

COMPLETION = Verb(
    "completion",
    "Print or install shell completion",
    "Print the completion script of a shell, or install the small program by which kubectl itself (1.26 and "
    "later) completes the words after `kubectl netpolgen`.",
    (
        ("Let kubectl complete this plugin", "completion install"),
        (
            "Complete kubectl-netpolgen in bash",
            "completion bash > ~/.local/share/bash-completion/completions/kubectl-netpolgen",
        ),
    ),
    operands=(Operand("SHELL", "the shell, or install", choices=("bash", "zsh", "fish", "install")),),
)

VERBS = (
    *(CAPTURE, ANALYSE, FLOWS, VERIFY, EXPLAIN, CONNECTIVITY, DIFF),
    *(CLEAN, DOCTOR, RBAC, DEMO, VERSION, COMPLETION),
)
"""In the order in which help lists them."""


def find_verb(word: str) -> Verb | None:
    """The verb of that name or alias."""
    return next((verb for verb in VERBS if word == verb.name or word in verb.aliases), None)
