"""What admission would say to the capture container, asked without changing anything."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netpolgen.cluster.agent import AgentLimits
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.attach import (
    DEFAULT_IMAGE,
    LADDER,
    AgentContainer,
    Refusal,
    admit,
    classify_refusal,
)
from kubectl_netpolgen.model.bundle import Rung
from kubectl_netpolgen.model.errors import ClusterError

# A name that no run draws: the patch is never stored.
_PROBE = AgentContainer(run="00000000", image=DEFAULT_IMAGE, limits=AgentLimits(), seconds=60)


@dataclass(frozen=True)
class Admission:
    """The first rung that a namespace admits on one of its pods, and why not those before it."""

    rung: Rung | None
    refusals: tuple[str, ...] = ()
    """The server's words, rung by rung."""


def admitted_rung(api: Api, namespace: str, pod: str) -> Admission | None:
    """Try the ladder by server-side dry-run on one pod; None when that cannot be told.

    It cannot where a webhook has side effects, where the right is missing, or when the pod went away.
    """
    refusals: list[str] = []
    for rung in LADDER:
        try:
            admit(api, namespace, pod, container=_PROBE, rung=rung)
        except ClusterError as error:
            if classify_refusal(error) is not Refusal.NEXT_RUNG:
                return None
            refusals.append(error.message)
        else:
            return Admission(rung, tuple(refusals))
    return Admission(None, tuple(refusals))
