"""The verbs that answer from policies alone."""

from __future__ import annotations

from kubectl_netpolgen.cli.flags import NO_HEADERS, Flag, Kind, output_flag
from kubectl_netpolgen.cli.verb import Operand, Verb

FILENAME = Flag(
    "filename",
    "manifests: a file, a folder with all below it, or - for standard input (repeatable)",
    Kind.REPEATED,
    short="f",
    metavar="PATH",
)
IPBLOCK_PODS = Flag(
    "ipblock-pods",
    "whether an ipBlock means the addresses of pods too, in which network plugins differ",
    Kind.CHOICE,
    choices=("match", "ignore"),
)
HOSTNETWORK = Flag(
    "hostnetwork",
    "whether pods of their node's network are pods to policies, in which network plugins differ",
    Kind.CHOICE,
    choices=("pod", "node"),
)
STRICT = Flag("strict", "refuse documents that are no YAML, instead of leaving them out", Kind.SWITCH)

CONNECTIVITY = Verb(
    "connectivity",
    "List everything that a set of policies allows",
    "List which workloads may connect to which, and to and from which addresses outside, by the "
    "NetworkPolicies of manifests, and those of administrators' tiers, without a cluster. A pair is listed "
    "with its ports when both ends allow them; what is not listed is not allowed. A workload may only what "
    "all of its pods may.",
    (
        ("What do these manifests allow?", "connectivity -f manifests/"),
        ("Everything about one workload, for a pull request", "connectivity -f manifests/ --focus web -o md"),
        ("Pod by pod, for a program", "connectivity -f manifests/ --pods -o json"),
    ),
    flags=(
        FILENAME,
        output_flag("table", "json", "csv", "md", "dot"),
        Flag("pods", "pods one by one, each with itself too, instead of workloads", Kind.SWITCH),
        Flag(
            "focus",
            "only what begins or ends at NAME, NS/NAME or NS/KIND/NAME (repeatable)",
            Kind.REPEATED,
            metavar="NAME",
        ),
        IPBLOCK_PODS,
        HOSTNETWORK,
        STRICT,
        NO_HEADERS,
    ),
)

VERIFY = Verb(
    "verify",
    "Check whether policies allow flows",
    "Judge flows, one a line, by the NetworkPolicies of manifests, without a cluster: which end allows or "
    "denies each, by which rules, and which rules come nearest. A line is {id, source, destination, "
    "protocol, port}, a row of flows -o jsonl, or an item of an EdgeList; docs/verdicts.md describes them. "
    "The exit status is 0 when every flow is allowed, 1 when one is not, and 2 when there is no answer.",
    (
        ("Do these manifests allow what was seen?", "verify -f manifests/ --flows flows.jsonl"),
        ("Only a word each, of many flows", "verify -f manifests/ --flows flows.jsonl --brief -o jsonl"),
    ),
    flags=(
        FILENAME,
        Flag("flows", "flows to judge, one a line: a file, or - for standard input", metavar="FILE"),
        output_flag("json", "jsonl", "table"),
        Flag("brief", "only id and verdict of each flow", Kind.SWITCH),
        IPBLOCK_PODS,
        HOSTNETWORK,
        STRICT,
        NO_HEADERS,
    ),
)

DIFF = Verb(
    "diff",
    "Compare what two sets of policies allow",
    "List the pairs, and the addresses outside, to which two sets of policies allow different ports, and say "
    "what the second is to the first: equivalent, tighter, looser or incomparable. A side is a file, a "
    "folder, - for standard input, or a bundle, which holds who was there, the policies written for them "
    "and what was seen; what takes away something seen comes first. The exit status is 0 when nothing "
    "differs, 1 when something does, and more than 1 when there is no answer.",
    (
        ("What does this change of manifests allow or deny?", "diff main/manifests manifests"),
        ("The same for a pull request", "diff main/manifests manifests -o md"),
        ("What do today's policies deny that last week's allowed?", "diff monday friday"),
    ),
    flags=(
        output_flag("table", "json", "md"),
        Flag("pods", "pods one by one, each with itself too, instead of workloads", Kind.SWITCH),
        IPBLOCK_PODS,
        HOSTNETWORK,
        STRICT,
        NO_HEADERS,
    ),
    operands=(Operand("A", "before"), Operand("B", "after")),
)

EXPLAIN = Verb(
    "explain",
    "Explain why a connection is allowed or denied",
    "Say for one connection what each end's policies say: every rule that allows it, or every policy that "
    "isolates the end, the rules that come nearest, and the smallest change that would turn the answer. An "
    "end is an address, NAME, NS/NAME or NS/KIND/NAME. Without a port every port is explained. The exit "
    "status is 0 when it is allowed and 1 when it is not.",
    (
        ("Why can web not reach the database?", "explain shop/web shop/db 5432/TCP -f manifests/"),
        ("For a program", "explain shop/web 203.0.113.10 443/TCP -f manifests/ -o json"),
    ),
    flags=(FILENAME, output_flag("text", "json"), IPBLOCK_PODS, HOSTNETWORK, STRICT),
    operands=(
        Operand("SRC", "who connects"),
        Operand("DST", "to whom"),
        Operand("PORT", "to which port, as 8080/TCP; TCP where no protocol is given", optional=True),
    ),
)
