"""`version`: what is installed, and the versions of the formats that it writes."""

from __future__ import annotations

import argparse
import platform
from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.model.bundle import SCHEMA
from kubectl_netpolgen.model.errors import ExitStatus
from kubectl_netpolgen.runs.installed import DISTRIBUTION, installed_version
from kubectl_netpolgen.runs.ports import Environment


class Format(str, Enum):
    """How the version is printed."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    format: Format


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Take the format; nothing depends on the environment."""
    return Options(Format(arguments.output))


def validate(options: Options) -> None:
    """Every format is fine."""


def run(options: Options, environment: Environment) -> ExitStatus:
    """Print it; text costs no import of a serialiser, because it is what is asked for most."""
    version = installed_version()
    value = {
        "apiVersion": "netpolgen/v1",
        "kind": "Version",
        "version": version,
        "bundleSchema": SCHEMA,
        "python": platform.python_version(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }
    if options.format is Format.JSON:
        from kubectl_netpolgen.documents.json_text import dump_json

        environment.stdout.write(dump_json(value))
    elif options.format is Format.YAML:
        from kubectl_netpolgen.documents.yaml_text import dump_yaml

        environment.stdout.write(dump_yaml(value))
    else:
        environment.stdout.write(f"{DISTRIBUTION} {version}\n")
    return ExitStatus.DONE
