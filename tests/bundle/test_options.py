"""How policies were asked for, written down and understood again, or refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.bundle import layout
from kubectl_netpolgen.bundle.options import read_options, write_options
from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.granularity import Granularity, Per
from kubectl_netpolgen.generation.options import BOTH, GenerationOptions, options_of, words_of
from kubectl_netpolgen.model.errors import BundleError

ODD = GenerationOptions(
    True,
    DnsMode.OBSERVED,
    BOTH[1:],
    3,
    ("shop/*", "é"),
    per=Granularity(Per.LABEL, "a.test/b"),
    declared=True,
)


@pytest.mark.parametrize("options", [GenerationOptions(), ODD])
def test_what_is_written_is_read_again_whole(tmp_path: Path, options: GenerationOptions) -> None:
    write_options(BundleWriter(tmp_path), options)
    assert read_options(tmp_path) == words_of(options)
    assert options_of(read_options(tmp_path)) == options


def test_file_is_in_the_fields_words(tmp_path: Path) -> None:
    write_options(BundleWriter(tmp_path), ODD)
    document = json.loads((tmp_path / layout.OPTIONS).read_text())
    assert (document["apiVersion"], document["kind"]) == ("netpolgen/v1", "GenerationOptions")
    assert document["options"]["minConnections"] == 3
    assert document["options"]["per"] == "label=a.test/b"


def test_bundle_of_before_has_none(tmp_path: Path) -> None:
    assert read_options(tmp_path) == {}


def document(**options: Any) -> str:
    return json.dumps({"kind": "GenerationOptions", "options": options})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1"),
        ("[]", "its kind is not"),
        ('{"kind": "Bundle"}', "its kind is not"),
        ('{"kind": "GenerationOptions"}', "has no options"),
        (document(later=True), "later: no such option"),
        (document(per="cluster"), "none of workload"),
        (document(minConnections="3"), "min_connections"),
        (document(exclude=[1]), "the value of no option"),
        (document(exclude=None), "the value of no option"),
        (document(exclude=["x" * 2_000_000]), "larger than"),
    ],
)
def test_what_is_not_understood_is_an_error_with_a_way_out(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / layout.OPTIONS).write_text(text)
    with pytest.raises(BundleError, match=words) as caught:
        read_options(tmp_path)
    assert "remove it" in caught.value.way_out


def test_bytes_that_are_no_text_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / layout.OPTIONS).write_bytes(b"\xff\xfe{}")
    with pytest.raises(BundleError, match="not understood"):
        read_options(tmp_path)
    (tmp_path / layout.OPTIONS).unlink()
    os.mkfifo(tmp_path / layout.OPTIONS)
    with pytest.raises(BundleError, match="no regular file"):
        read_options(tmp_path)
