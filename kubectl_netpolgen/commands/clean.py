"""`clean`: end agents that an interrupted capture left running."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.kubeconfig import connect
from kubectl_netpolgen.cluster.leftovers import Leftover, end_leftover, find_leftovers
from kubectl_netpolgen.model.errors import ClusterError, ExitStatus
from kubectl_netpolgen.output.columns import plain_columns
from kubectl_netpolgen.runs.confirmation import demand_yes
from kubectl_netpolgen.runs.connection import access_from, namespaces_from
from kubectl_netpolgen.runs.ports import Environment


@dataclass(frozen=True)
class Options:
    """Where to look and whether to act."""

    arguments: argparse.Namespace
    """For the connection flags, which `runs.connection` reads."""
    selector: str
    dry_run: bool
    confirmed: bool


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Options from the parsed command line."""
    return Options(
        arguments=arguments,
        selector=arguments.selector or "",
        dry_run=arguments.dry_run != "none",
        confirmed=arguments.yes,
    )


def validate(options: Options) -> None:
    """Nothing can be wrong that the cluster would not say."""


def run(options: Options, environment: Environment) -> ExitStatus:
    """List what still runs; end it after a yes."""
    with connect(access_from(options.arguments), environment.variables) as api:
        namespaces = namespaces_from(options.arguments, api)
        found = find_leftovers(api, namespaces, selector=options.selector)
        running = [item for item in found if item.running]
        ended = len(found) - len(running)
        if ended:
            environment.say(
                f"{ended} ended entries stay in the pods' specs until the pods are replaced; they do nothing"
            )
        if not running:
            environment.say("no agent runs")
            return ExitStatus.DONE
        environment.stdout.write(_table(running))
        if options.dry_run:
            return ExitStatus.DONE
        if not options.confirmed:
            demand_yes(
                f"End {len(running)} agents? A capture that still collects from them would lose them.",
                environment,
                alone=f"{len(running)} agents would be ended, and nobody is here to say yes",
                way_out="add --yes, or --dry-run",
            )
        return ExitStatus.PARTIAL if _end(api, running, environment) else ExitStatus.DONE


def _end(api: Api, running: list[Leftover], environment: Environment) -> int:
    """End each agent and return how many could not be reached."""
    failed = 0
    for item in running:
        try:
            end_leftover(api, item)
            environment.stdout.write(f"pod/{item.pod} agent {item.container} ended\n")
        except ClusterError as error:
            failed += 1
            environment.say(f"{item.namespace}/{item.pod}: {error.message}; the agent ends by itself soon")
    return failed


def _table(items: list[Leftover]) -> str:
    rows = [(item.namespace, item.pod, item.container, item.run, item.since) for item in items]
    return plain_columns(("NAMESPACE", "POD", "CONTAINER", "RUN", "SINCE"), rows)
