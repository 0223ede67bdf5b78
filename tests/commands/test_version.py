from __future__ import annotations

import json

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.documents.yaml_text import load_documents
from kubectl_netpolgen.model.bundle import SCHEMA
from kubectl_netpolgen.runs.installed import installed_version
from tests.cli.factories import heard


def printed(*words: str) -> str:
    world = heard()
    assert main(["kubectl-netpolgen", *words], world.environment) == 0
    assert world.stderr == ""
    return world.stdout


def test_text_is_one_line_for_people() -> None:
    assert printed("version") == f"kubectl-netpolgen {installed_version()}\n"
    assert printed("--version") == printed("version")


def test_json_and_yaml_say_the_same_with_the_formats_versions() -> None:
    value = json.loads(printed("version", "-o", "json"))
    assert load_documents(printed("version", "-o", "yaml")) == [value]
    assert (value["apiVersion"], value["kind"], value["bundleSchema"]) == ("netpolgen/v1", "Version", SCHEMA)
    assert value["version"] == installed_version()
    assert list(value) == ["apiVersion", "kind", "version", "bundleSchema", "python", "platform"]
