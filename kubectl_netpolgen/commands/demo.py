"""`demo`: a bundle recorded on a real cluster through the real analysis, no cluster needed."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from kubectl_netpolgen.bundle.files import make_directory, write_whole
from kubectl_netpolgen.generation.options import GenerationOptions
from kubectl_netpolgen.model.errors import BundleError, ExitStatus, UsageError
from kubectl_netpolgen.runs.derive import derive
from kubectl_netpolgen.runs.ports import Environment
from kubectl_netpolgen.runs.publish import Format, publish, show

RECORDED = "recorded"
"""Package data: the bundle of a capture of the sample shop, headers only."""


@dataclass(frozen=True)
class Options:
    """Where the demo's bundle goes."""

    bundle: Path


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Options from the parsed command line; a new directory named after the second it was made in."""
    name = arguments.bundle or f"netpolgen-demo-{environment.now() // 1_000_000_000}"
    return Options(bundle=environment.directory / name)


def validate(options: Options) -> None:
    """Never write into something that is there already."""
    if options.bundle.exists():
        raise UsageError(f"--bundle: {options.bundle} exists", way_out="name a directory to create")


def run(options: Options, environment: Environment) -> ExitStatus:
    """Copy the recorded bundle, then do with it what `analyse` does with any."""
    environment.say(f"analysing a recorded capture of a sample shop in {options.bundle} ...")
    recorded = Path(__file__).parent.parent / RECORDED
    if not recorded.is_dir():
        raise BundleError("the recorded bundle is not installed", way_out="install the package again")
    make_directory(options.bundle)
    _copy(recorded, options.bundle)
    derived = derive(options.bundle, GenerationOptions(default_deny=True))
    show(derived, publish(derived), format=Format.TABLE, headers=True, environment=environment)
    environment.say("next, on a namespace of your own:")
    environment.say("  kubectl netpolgen capture -n NAMESPACE")
    return ExitStatus.DONE


def _copy(source: Path, target: Path) -> None:
    for item in sorted(source.iterdir(), key=lambda entry: entry.name):
        if item.is_dir():
            make_directory(target / item.name)
            _copy(item, target / item.name)
        else:
            write_whole(target / item.name, item.read_bytes())
