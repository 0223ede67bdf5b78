"""OCI image archives, written with the standard library alone: no container engine builds the images."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class File:
    """A regular file of a layer."""

    content: bytes
    mode: int = 0o755


@dataclass(frozen=True)
class Image:
    """What an image is, apart from its content."""

    references: Sequence[str]
    command: Sequence[str]
    environment: Sequence[str] = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",)


def architecture() -> str:
    """This machine's architecture in OCI's words."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def layer_of(files: Mapping[str, File]) -> bytes:
    """A layer that holds exactly these files and the directories above them.

    Sorted and without times, so that the same files give the same digest.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for directory in sorted({str(parent) for path in files for parent in Path(path).parents} - {"."}):
            entry = tarfile.TarInfo(directory)
            entry.type = tarfile.DIRTYPE
            entry.mode = 0o755
            archive.addfile(entry)
        for path in sorted(files):
            entry = tarfile.TarInfo(path)
            entry.mode = files[path].mode
            entry.size = len(files[path].content)
            archive.addfile(entry, io.BytesIO(files[path].content))
    return buffer.getvalue()


def write_archive(target: Path, image: Image, layer: Path) -> None:
    """Write an image of one layer, a tar file on disk, as an OCI archive with one or more names.

    The layer stays uncompressed: importing it is what `up` waits for, and it never travels.
    """
    layer_digest, layer_size = _digest_of_file(layer)
    configuration = _encode(
        {
            "architecture": architecture(),
            "os": "linux",
            "config": {"Cmd": list(image.command), "Env": list(image.environment)},
            "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        }
    )
    manifest = _encode(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor("application/vnd.oci.image.config.v1+json", configuration),
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": layer_digest,
                    "size": layer_size,
                }
            ],
        }
    )
    with tarfile.open(target, "w") as archive:
        _add(archive, "oci-layout", _encode({"imageLayoutVersion": "1.0.0"}))
        _add(archive, "index.json", _encode(_index(image.references, manifest)))
        for blob in (configuration, manifest):
            _add(archive, _blob_path(_digest(blob)), blob)
        with layer.open("rb") as content:
            entry = tarfile.TarInfo(_blob_path(layer_digest))
            entry.size = layer_size
            archive.addfile(entry, content)


def _index(references: Sequence[str], manifest: bytes) -> dict[str, Any]:
    described = _descriptor("application/vnd.oci.image.manifest.v1+json", manifest)
    return {
        "schemaVersion": 2,
        "manifests": [
            # containerd takes the image's name from this annotation.
            {**described, "annotations": {"io.containerd.image.name": reference}}
            for reference in references
        ],
    }


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _digest_of_file(path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    return "sha256:" + digest.hexdigest(), path.stat().st_size


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _blob_path(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _encode(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
