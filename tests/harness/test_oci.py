"""Image archives are read back as a container runtime would read them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.harness import oci


def members(archive: Path) -> dict[str, bytes]:
    """Every file of an archive with its content."""
    with tarfile.open(archive) as opened:
        found = {}
        for member in opened.getmembers():
            content = opened.extractfile(member)
            assert content is not None
            found[member.name] = content.read()
        return found


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An image of one file under two names."""
    layer = tmp_path / "layer.tar"
    layer.write_bytes(oci.layer_of({"opt/tool": oci.File(b"#!/bin/sh\n")}))
    target = tmp_path / "image.tar"
    oci.write_archive(target, oci.Image(("example.test/a:1", "example.test/b:2"), ("/opt/tool",)), layer)
    return target


def blob(files: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    """What a descriptor points to, checked against its digest and size."""
    content = files["blobs/" + descriptor["digest"].replace(":", "/")]
    assert descriptor["digest"] == "sha256:" + hashlib.sha256(content).hexdigest()
    assert descriptor["size"] == len(content)
    return content


def test_every_descriptor_tells_the_digest_and_size_of_its_blob(archive: Path) -> None:
    files = members(archive)
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    for described in json.loads(files["index.json"])["manifests"]:
        manifest = json.loads(blob(files, described))
        configuration = json.loads(blob(files, manifest["config"]))
        layers = [blob(files, layer) for layer in manifest["layers"]]
        digests = ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]
        assert configuration["rootfs"]["diff_ids"] == digests


def test_an_image_may_have_several_names(archive: Path) -> None:
    manifests = json.loads(members(archive)["index.json"])["manifests"]
    names = [one["annotations"]["io.containerd.image.name"] for one in manifests]
    assert names == ["example.test/a:1", "example.test/b:2"]
    assert len({one["digest"] for one in manifests}) == 1


def test_the_configuration_holds_command_and_path(archive: Path) -> None:
    files = members(archive)
    manifest = json.loads(blob(files, json.loads(files["index.json"])["manifests"][0]))
    configuration = json.loads(blob(files, manifest["config"]))
    assert configuration["config"]["Cmd"] == ["/opt/tool"]
    assert configuration["config"]["Env"][0].startswith("PATH=")
    assert (configuration["os"], configuration["architecture"]) == ("linux", oci.architecture())


def test_a_layer_has_its_directories_before_its_files() -> None:
    layer = oci.layer_of({"a/b/file": oci.File(b"x", 0o644), "tool": oci.File(b"y")})
    with tarfile.open(fileobj=io.BytesIO(layer)) as opened:
        found = [(member.name, member.isdir(), member.mode) for member in opened.getmembers()]
    assert found == [
        ("a", True, 0o755),
        ("a/b", True, 0o755),
        ("a/b/file", False, 0o644),
        ("tool", False, 0o755),
    ]


def test_the_same_content_gives_the_same_bytes() -> None:
    one = {"a": oci.File(b"1"), "b": oci.File(b"2")}
    other = {"b": oci.File(b"2"), "a": oci.File(b"1")}
    assert oci.layer_of(one) == oci.layer_of(other)
