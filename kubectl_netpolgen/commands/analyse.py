"""`analyse`: everything after the capture, from a bundle alone."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kubectl_netpolgen.generation.options import Word
from kubectl_netpolgen.model.errors import ExitStatus, UsageError
from kubectl_netpolgen.runs.asked import asked_options, given_words, options_for
from kubectl_netpolgen.runs.derive import derive
from kubectl_netpolgen.runs.ports import Environment
from kubectl_netpolgen.runs.publish import Format, publish, say_how_to_apply, show


@dataclass(frozen=True)
class Options:
    """What to analyse, and how the policies are wanted."""

    bundle: Path
    format: Format
    headers: bool
    given: Mapping[str, Word]
    """Options of the policies that were given; others are the bundle's."""
    decisions: Path | None


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Options from the parsed command line."""
    return Options(
        bundle=environment.directory / arguments.bundle,
        format=Format(arguments.output),
        headers=not arguments.no_headers,
        given=given_words(arguments),
        decisions=environment.directory / arguments.decisions if arguments.decisions else None,
    )


def validate(options: Options) -> None:
    """Refuse what cannot be analysed before anything is touched."""
    asked_options(options.given)
    if options.decisions is not None and not options.decisions.is_file():
        raise UsageError(f"{options.decisions}: no such file", way_out="name the decisions file to replay")


def run(options: Options, environment: Environment) -> ExitStatus:
    """Derive, write and show."""
    generation = options_for(options.bundle, options.given, environment)
    derived = derive(options.bundle, generation, decisions_file=options.decisions)
    published = publish(derived)
    status = show(derived, published, format=options.format, headers=options.headers, environment=environment)
    say_how_to_apply(published, environment)
    return status
