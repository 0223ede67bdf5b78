"""Flags given now win over what the bundle recorded, and what was taken from it is said."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.bundle.options import write_options
from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.generation.granularity import Granularity, Per
from kubectl_netpolgen.generation.options import GenerationOptions, Word
from kubectl_netpolgen.model.errors import UsageError
from kubectl_netpolgen.runs.asked import asked_options, given_words, options_for
from tests.cli.factories import heard

RECORDED = GenerationOptions(default_deny=True, exclude=("a b", "c"), per=Granularity(Per.NAMESPACE))


def asked(root: Path, **given: Word) -> tuple[GenerationOptions, str]:
    world = heard()
    return options_for(root, given, world.environment), world.stderr


def test_only_what_was_given_is_a_word() -> None:
    parsed: dict[str, Any] = {
        "per": None,
        "default_deny": False,
        "exclude": ["x"],
        "bundle": "b",
        "dns": None,
    }
    assert given_words(argparse.Namespace(**parsed)) == {"default_deny": False, "exclude": ("x",)}


def test_recorded_options_hold_until_a_flag_says_otherwise(tmp_path: Path) -> None:
    write_options(BundleWriter(tmp_path), RECORDED)
    options, said = asked(tmp_path)
    assert options == RECORDED
    assert "as recorded in the bundle: --per=namespace --default-deny --exclude='a b' --exclude=c" in said
    options, said = asked(tmp_path, default_deny=False, exclude=("",), per="label=app")
    assert options == GenerationOptions(per=Granularity(Per.LABEL, "app"))
    assert said == ""


def test_without_a_record_or_with_defaults_alone_nothing_is_said(tmp_path: Path) -> None:
    assert asked(tmp_path) == (GenerationOptions(), "")
    write_options(BundleWriter(tmp_path), GenerationOptions())
    assert asked(tmp_path, dns="observed")[1] == ""


def test_key_that_groups_nothing_is_refused_as_a_word() -> None:
    with pytest.raises(UsageError, match="another one for every roll-out"):
        asked_options({"per": "label=pod-template-hash"})
