"""The one way in which the harness and the end-to-end tests talk to a cluster: the kubectl binary."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class KubectlError(RuntimeError):
    """A kubectl call that failed, with the command and both outputs.

    Subprocess's own error hides standard error, which is where kubectl says what is wrong.
    """

    def __init__(self, process: subprocess.CompletedProcess[str]) -> None:
        """Keep the finished process, so that a test can look at its exit code and output."""
        self.process = process
        command = " ".join(str(part) for part in process.args)
        super().__init__(f"{command}\nexit code {process.returncode}\n{process.stdout}{process.stderr}")


@dataclass(frozen=True)
class Kubectl:
    """kubectl bound to one kubeconfig.

    Tests name neither the binary nor the cluster, so the same test runs against the harness and
    against any other cluster.
    """

    binary: Path
    kubeconfig: Path

    def run(
        self, *args: str, stdin: str | None = None, check: bool = True, timeout: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl with these arguments and return the finished process.

        With `check` a failure raises KubectlError; a call that outlives `timeout` seconds is killed
        and raises subprocess.TimeoutExpired, so a hanging cluster cannot hang the tests.
        """
        command = [str(self.binary), f"--kubeconfig={self.kubeconfig}", *args]
        process = subprocess.run(
            command,
            # kubectl exec would otherwise take over the terminal's input.
            input="" if stdin is None else stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and process.returncode != 0:
            raise KubectlError(process)
        return process

    def json(self, *args: str) -> dict[str, Any]:
        """Run kubectl with `-o json` and return the parsed object.

        Tests compare fields, never columns of a table that a new version may change.
        """
        parsed: dict[str, Any] = json.loads(self.run(*args, "-o", "json").stdout)
        return parsed

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Apply these manifests in order, in one call.

        They travel as one JSON List through standard input: nothing to write to disk, one process.
        """
        items = {"apiVersion": "v1", "kind": "List", "items": [dict(manifest) for manifest in manifests]}
        self.run("apply", "-f", "-", stdin=json.dumps(items))

    def wait(self, *args: str, timeout: float = 90.0) -> None:
        """Run `kubectl wait` with these arguments, for at most `timeout` seconds.

        The timeout is given to kubectl as well, so that a failure names what never came true.
        """
        self.run("wait", *args, f"--timeout={timeout:.0f}s", timeout=timeout + 10)

    def exec(
        self,
        namespace: str,
        pod: str,
        *command: str,
        container: str | None = None,
        check: bool = True,
        timeout: float = 60.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside a pod and return the finished process.

        `pod` may be `pod-name` or `deploy/name`, as kubectl itself takes it.
        """
        where = ["-n", namespace, "exec", pod] + (["-c", container] if container else [])
        return self.run(*where, "--", *command, check=check, timeout=timeout)
