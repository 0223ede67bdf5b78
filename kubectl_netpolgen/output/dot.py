"""Edges as a DOT graph: the same edges give the same bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.output.escape import terminal_text
from kubectl_netpolgen.output.wording import port_words, sort_edges

LONGEST_LABEL = 120
"""Characters of a label; what is longer is cut and says so, because a name from outside has no bound."""

_SHAPES = {
    EndpointKind.WORKLOAD: "box",
    EndpointKind.SERVICE: "hexagon",
    EndpointKind.EXTERNAL: "ellipse",
    EndpointKind.API_SERVER: "octagon",
    EndpointKind.NODE: "box3d",
    EndpointKind.UNKNOWN: "diamond",
}

_HEADER = """\
digraph netpolgen {
  graph [rankdir=LR, forcelabels=true, fontname="sans-serif", fontsize=12, nodesep=0.4, ranksep=1.2]
  node [fontname="sans-serif", fontsize=11, style="rounded,filled", fillcolor=white]
  edge [fontname="sans-serif", fontsize=9]
"""

_LEGEND = """\
  subgraph cluster_legend {
    label="solid: got through\\ldashed: failed attempt\\ldotted: not proven\\l"
    labeljust=l
    style=dotted
    fontsize=9
    legend [shape=point, style=invis]
  }
}
"""

_XLABEL = re.compile(r', xlabel="(?:[^"\\]|\\.)*"')


def graph_dot(edges: Sequence[Edge], *, dns: bool = False, probes: bool = False) -> str:
    """The graph of the application's edges: a cluster a namespace, a shape a kind, parallel edges as one.

    The ports are `xlabel`s: with `label`s and clusters Graphviz loses edges of large graphs
    (ellson/MOTHBALLED-graphviz issues 681 and 1213).
    """
    shown = [
        edge
        for edge in sort_edges(edges)
        if (dns or edge.role is not Role.DNS) and (probes or edge.role is not Role.PROBE)
    ]
    ends = {end.identity: end for edge in shown for end in (edge.client, edge.server)}
    names = {identity: f"n{number}" for number, identity in enumerate(sorted(ends))}
    return _HEADER + _node_lines(ends, names) + _edge_lines(shown, names) + _LEGEND


def without_labels(dot: str) -> str:
    """The same graph with the ports left out, which Graphviz can always draw."""
    return _XLABEL.sub("", dot)


def quoted(lines: Iterable[str]) -> str:
    """A double-quoted DOT string of these lines: the one way in which text from outside enters a graph.

    In an escString a backslash starts an escape such as `\\N`, and `&` an HTML entity
    (graphviz.org/docs/attr-types/escString).
    """
    return '"' + "\\n".join(_label(line) for line in lines) + '"'


def _label(text: str) -> str:
    # cut first: escaping makes at most ten characters of one, so the work stays bounded
    shown = terminal_text(text[:LONGEST_LABEL]) + ("..." if len(text) > LONGEST_LABEL else "")
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


Identity = tuple[str, str, str, str, str]


def _node_lines(ends: Mapping[Identity, Endpoint], names: Mapping[Identity, str]) -> str:
    text = ""
    namespaces = sorted({end.namespace for end in ends.values()})
    for number, namespace in enumerate(namespaces):
        members = [identity for identity in sorted(ends) if ends[identity].namespace == namespace]
        indent = "    " if namespace else "  "
        nodes = "".join(f"{indent}{_node(names[identity], ends[identity])}\n" for identity in members)
        if namespace:
            heading = f"    label={quoted([namespace])}\n    style=filled\n    fillcolor=grey95\n"
            nodes = f"  subgraph cluster_{number} {{\n{heading}{nodes}  }}\n"
        text += nodes
    return text


def _node(name: str, end: Endpoint) -> str:
    return f"{name} [shape={_SHAPES[end.kind]}, label={quoted(_node_label(end))}]"


def _node_label(end: Endpoint) -> list[str]:
    if end.kind is EndpointKind.WORKLOAD:
        return [end.name, end.owner_kind + (", host network" if end.host_network else "")]
    if end.kind is EndpointKind.API_SERVER:
        return ["API server"]
    if end.kind in (EndpointKind.SERVICE, EndpointKind.NODE):
        return [end.name, end.kind.value]
    if end.kind is EndpointKind.UNKNOWN:
        return [end.address or ", ".join(end.names), "unknown"]
    return [*end.names[:3], end.address]


def _edge_lines(edges: Sequence[Edge], names: Mapping[Identity, str]) -> str:
    parallel: dict[tuple[str, str, str], list[str]] = {}
    for edge in edges:
        key = (names[edge.client.identity], names[edge.server.identity], _style(edge))
        parallel.setdefault(key, []).append(port_words(edge))
    return "".join(
        f"  {client} -> {server} [style={style}, xlabel={quoted(_unique(ports))}]\n"
        for (client, server, style), ports in parallel.items()
    )


def _style(edge: Edge) -> str:
    if edge.outcome.failed:
        return "dashed"
    return "solid" if edge.outcome.accepted else "dotted"


def _unique(ports: Sequence[str]) -> list[str]:
    shown = list(dict.fromkeys(ports))
    return shown if len(shown) <= 6 else [*shown[:5], f"and {len(shown) - 5} more"]
