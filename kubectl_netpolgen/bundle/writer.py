"""Writing a bundle while the run goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kubectl_netpolgen.bundle import layout
from kubectl_netpolgen.bundle.configuration import Configuration
from kubectl_netpolgen.bundle.files import (
    DIRECTORY_MODE,
    append_line,
    cannot_write,
    make_directory,
    write_lines,
    write_whole,
)
from kubectl_netpolgen.bundle.layout import CaptureFile
from kubectl_netpolgen.bundle.manifest import manifest_document
from kubectl_netpolgen.bundle.reduction import reduce_object
from kubectl_netpolgen.documents.json_text import dump_json, dump_line
from kubectl_netpolgen.model.bundle import Manifest
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.model.times import rfc3339


class BundleWriter:
    """The one writer of a bundle's directory; safe to call from several threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._configuration: Configuration | None = None
        self._lock = threading.Lock()

    @classmethod
    def create(cls, root: Path) -> BundleWriter:
        """Make a new, empty bundle directory; BundleError when something is there already."""
        make_directory(root.parent)
        try:
            if root.exists() and (not root.is_dir() or any(root.iterdir())):
                raise BundleError(
                    f"{root}: exists and is not empty", way_out="choose another directory with --bundle"
                )
            make_directory(root)
            root.chmod(DIRECTORY_MODE)
        except OSError as error:
            raise cannot_write(root, error) from error
        return cls(root)

    def read_configuration(self, namespaces: Iterable[str]) -> None:
        """From now on keep what the pods and ConfigMaps of these namespaces mention of Services."""
        self._configuration = Configuration(namespaces)

    def session(self, *, time: int, **fields: object) -> None:
        """Append one state change to session.jsonl; `time` is nanoseconds since the epoch."""
        self._append(layout.SESSION, {"time": rfc3339(time), **fields})

    def objects(self, objects: Iterable[Mapping[str, Any]]) -> None:
        """Append objects of the cluster, reduced to the allowed fields."""
        found = list(objects)
        if self._configuration is not None:
            # all Services first: the text of a pod that comes before them may mention them
            for item in found:
                self._configuration.learn(item)
        for item in found:
            reduced = reduce_object(item, self._configuration)
            if reduced is not None:
                self._append(layout.OBJECTS, reduced)

    def event(self, *, time: int, type: str, object: Mapping[str, Any]) -> None:
        """Append one watch event, its object reduced."""
        if self._configuration is not None and type != "DELETED":
            self._configuration.learn(object)
        reduced = reduce_object(object, self._configuration)
        if reduced is not None:
            self._append(layout.EVENTS, {"time": rfc3339(time), "type": type, "object": reduced})

    def capture_path(self, uid: str, run: str, kind: CaptureFile) -> Path:
        """Where a pod's file goes; its folder exists afterwards."""
        path = self._inside(layout.capture_name(uid, run, kind))
        make_directory(path.parent)
        return path

    def relative(self, path: Path) -> str:
        """A path as the bundle's files name it."""
        return path.relative_to(self.root).as_posix()

    def manifest(self, manifest: Manifest) -> None:
        """Write bundle.json whole."""
        self.text(layout.MANIFEST, dump_json(manifest_document(manifest)))

    def text(self, name: str, content: str) -> Path:
        """Write one file whole, by its path inside the bundle."""
        path = self._inside(name)
        write_whole(path, content.encode())
        return path

    def lines(self, name: str, lines: Iterable[str]) -> Path:
        """Write one file whole, line by line, since all of a large one would not fit into memory."""
        path = self._inside(name)
        write_lines(path, (line.encode() for line in lines))
        return path

    def _inside(self, name: str) -> Path:
        """The path of a name; BundleError when `..` or a link in a foreign bundle would lead out of it."""
        path = self.root / name
        if not path.parent.resolve().is_relative_to(self.root.resolve()):
            raise BundleError(
                f"{path}: lies outside the bundle",
                way_out="a directory of the bundle is a link, or a name in it is made of dots; remove it",
            )
        return path

    def _append(self, name: str, value: Mapping[str, Any]) -> None:
        with self._lock:
            append_line(self._inside(name), dump_line(value))
