"""Where server and credentials come from: one context of kubeconfig files, or a pod's service account.

The `kubernetes` package reads the files and runs credential plugins; what it gets wrong or leaves out is done
here: which file's current-context counts, the `as` fields of users, and errors that it only logs.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kubectl_netpolgen.model.errors import ClusterError


@dataclass(frozen=True)
class Access:
    """Which cluster, as whom: kubectl's connection flags, None or empty where not given."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    server: str | None = None
    namespace: str | None = None
    impersonate: str | None = None
    impersonate_groups: tuple[str, ...] = ()
    impersonate_uid: str | None = None
    request_timeout: float | None = None
    """Seconds; None or 0 leaves every call its own."""
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool = False


class Source:
    """By itself nowhere: `--server` alone, as for `kubectl proxy`."""

    name = "--server"
    context = ""
    namespace = "default"

    def load(self, configuration: Any) -> None:
        """Write them into the package's Configuration; called anew at each renewal."""

    def impersonation(self) -> list[tuple[str, str]]:
        """Headers that the source itself asks for."""
        return []


class ServiceAccount(Source):
    """A pod's own credentials."""

    def __init__(self, directory: Path, variables: Mapping[str, str]) -> None:
        self.name = str(directory)
        self._directory = directory
        self._variables = dict(variables)
        with contextlib.suppress(OSError):
            self.namespace = (directory / "namespace").read_text().strip() or "default"

    def load(self, configuration: Any) -> None:
        from kubernetes.config.incluster_config import InClusterConfigLoader

        InClusterConfigLoader(
            token_filename=str(self._directory / "token"),
            cert_filename=str(self._directory / "ca.crt"),
            environ=self._variables,
        ).load_and_set(configuration)


class Kubeconfig(Source):
    """One context of the merged files."""

    def __init__(self, files: Sequence[str], access: Access) -> None:
        self._files = files
        self._access = access
        self.name = ", ".join(files)
        with explained(self.name):
            merged = self._merge()
            self.context = access.context or _current_context(merged)
            chosen = self._choose(merged)
            self.namespace = str(chosen.get("namespace") or "default")
            self._user = _entries(merged, "users", "user").get(chosen["user"], {})

    def load(self, configuration: Any) -> None:
        from kubernetes.config.kube_config import ConfigNode, KubeConfigLoader

        merged = self._merge()
        entry = {"name": self.context, "context": self._choose(merged)}
        node = ConfigNode(self._files[0], entry, self._files[0])
        contexts = merged.config.value["contexts"]
        contexts[:] = [one for one in contexts if one["name"] != self.context] + [node]
        # The persister keeps what a refresh token was exchanged for, which may be usable only once.
        KubeConfigLoader(
            merged.config,
            active_context=self.context,
            config_base_path=None,
            config_persister=merged.save_changes,
        ).load_and_set(configuration)

    def impersonation(self) -> list[tuple[str, str]]:
        """The `as` fields of the user (client-go api/v1 AuthInfo), which the package ignores."""
        user = self._user
        headers = [("Impersonate-User", user.get("as")), ("Impersonate-Uid", user.get("as-uid"))]
        headers += [("Impersonate-Group", group) for group in user.get("as-groups") or ()]
        for name, values in (user.get("as-user-extra") or {}).items():
            headers += [(f"Impersonate-Extra-{quote(str(name), safe='')}", value) for value in values]
        return [(name, str(value)) for name, value in headers if value]

    def _merge(self) -> Any:
        from kubernetes.config.kube_config import KubeConfigMerger

        with explained(self.name):
            merged = KubeConfigMerger(os.pathsep.join(self._files))
            if merged.config is None:
                raise ClusterError(f"{self.name} is empty")
            return merged

    def _choose(self, merged: Any) -> dict[str, Any]:
        contexts = _entries(merged, "contexts", "context")
        if self.context in contexts:
            chosen = dict(contexts[self.context])
        elif not self.context and self._access.cluster:
            chosen = {}
        else:
            known = f"choose one of {', '.join(contexts)} with --context" if contexts else "it has none"
            named = f'context "{self.context}" does not exist' if self.context else "no current context"
            raise ClusterError(f"{self.name}: {named}", way_out=known)
        chosen["cluster"] = self._access.cluster or chosen.get("cluster") or ""
        chosen["user"] = self._access.user or chosen.get("user") or ""
        for kind, name in (("cluster", chosen["cluster"]), ("user", chosen["user"])):
            known_names = _entries(merged, f"{kind}s", kind)
            if name not in known_names and (name or kind == "cluster"):
                raise ClusterError(
                    f'{self.name}: {kind} "{name}" of context "{self.context}" does not exist',
                    way_out=f"choose one of {', '.join(known_names) or 'none'} with --{kind}",
                )
        return chosen


def _entries(merged: Any, plural: str, singular: str) -> dict[str, dict[str, Any]]:
    """Name and content of one of a kubeconfig's lists; the first file that has a name wins."""
    return {
        str(one.value["name"]): one.value.get(singular) or {} for one in reversed(merged.config.value[plural])
    }


def _current_context(merged: Any) -> str:
    """The first file that sets one wins (client-go loading rules); in the package the last does."""
    for content in merged.config_files.values():
        if content.get("current-context"):
            return str(content["current-context"])
    return ""


class _Words(logging.Handler):
    """Collects what the package logs instead of raising: a credential plugin's failure above all."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # The package speaks through the root logger; other threads' libraries have their own.
        if record.name == "root":
            self.texts.append(record.getMessage())


@contextlib.contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn whatever goes wrong while credentials are read into one error that names the source.

    The package raises its own ConfigException, but also YAML's, JSON's and plain KeyError and TypeError for
    a file of another shape; and it logs a plugin's failure to the root logger and goes on without a token.
    """
    words = _Words()
    root = logging.getLogger()
    root.addHandler(words)
    try:
        yield
    except ClusterError:
        raise
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, (LookupError, TypeError, AttributeError)):
            text = f"not of a kubeconfig's shape ({type(error).__name__}: {text})"
        raise ClusterError(f"{name}: {text}", way_out="check the file with `kubectl config view`") from error
    finally:
        root.removeHandler(words)
    if words.texts:
        raise ClusterError(
            f"{name}: {words.texts[-1]}", way_out="run the credential plugin by hand, or log in again"
        )
