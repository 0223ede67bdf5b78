"""Which collections a run reads, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

EVERYWHERE = "*"


@dataclass(frozen=True)
class Collection:
    """A resource of the API as its paths write it."""

    prefix: str
    resource: str

    def path(self, namespace: str = "") -> str:
        """The collection's path in one namespace, or at cluster scope."""
        within = f"namespaces/{quote(namespace, safe='')}/" if namespace else ""
        return f"{self.prefix}/{within}{self.resource}"


PODS = Collection("/api/v1", "pods")
SERVICES = Collection("/api/v1", "services")
NAMESPACES = Collection("/api/v1", "namespaces")
NODES = Collection("/api/v1", "nodes")
ENDPOINT_SLICES = Collection("/apis/discovery.k8s.io/v1", "endpointslices")
REPLICA_SETS = Collection("/apis/apps/v1", "replicasets")
DEPLOYMENTS = Collection("/apis/apps/v1", "deployments")
STATEFUL_SETS = Collection("/apis/apps/v1", "statefulsets")
DAEMON_SETS = Collection("/apis/apps/v1", "daemonsets")
JOBS = Collection("/apis/batch/v1", "jobs")
CRON_JOBS = Collection("/apis/batch/v1", "cronjobs")
NETWORK_POLICIES = Collection("/apis/networking.k8s.io/v1", "networkpolicies")
INGRESSES = Collection("/apis/networking.k8s.io/v1", "ingresses")
CONFIG_MAPS = Collection("/api/v1", "configmaps")

_GATEWAY = "/apis/gateway.networking.k8s.io"
_MONITORING = "/apis/monitoring.coreos.com/v1"
MONITORS = (Collection(_MONITORING, "servicemonitors"), Collection(_MONITORING, "podmonitors"))
DECLARING = (
    INGRESSES,
    Collection(f"{_GATEWAY}/v1", "httproutes"),
    Collection(f"{_GATEWAY}/v1", "grpcroutes"),
    Collection(f"{_GATEWAY}/v1alpha2", "tcproutes"),
    Collection(f"{_GATEWAY}/v1alpha2", "tlsroutes"),
    Collection(f"{_GATEWAY}/v1alpha2", "udproutes"),
    *MONITORS,
)
"""What implies connections that need not have happened yet; most clusters lack some of it."""

ADMINISTRATORS = (
    Collection("/apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations"),
    Collection("/apis/admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations"),
    Collection("/apis/apiregistration.k8s.io/v1", "apiservices"),
    Collection("/apis/policy.networking.k8s.io/v1alpha1", "adminnetworkpolicies"),
    Collection("/apis/policy.networking.k8s.io/v1alpha1", "baselineadminnetworkpolicies"),
    Collection("/apis/policy.networking.k8s.io/v1alpha2", "clusternetworkpolicies"),
    Collection("/apis/networking.k8s.io/v1", "ingressclasses"),
)
"""What few may read: it explains calls from the control plane, verdicts of other tiers, and Ingresses."""

# What says who an address is and who owns it, in the captured namespaces and elsewhere alike.
_WHO = (
    PODS,
    SERVICES,
    ENDPOINT_SLICES,
    NETWORK_POLICIES,
    REPLICA_SETS,
    DEPLOYMENTS,
    STATEFUL_SETS,
    DAEMON_SETS,
)
CAPTURED = (*_WHO, JOBS, CRON_JOBS, *DECLARING)
"""Read in every captured namespace."""
ELSEWHERE = frozenset((*_WHO, *MONITORS))
"""Read across the cluster where that is allowed, which then covers the captured namespaces too."""


@dataclass(frozen=True)
class Resource:
    """One list to read and watch."""

    name: str
    """`pods:*` across the cluster, `pods:NS` in one namespace, `nodes` and `namespaces` as they are."""
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    fallback: tuple[Resource, ...] = ()
    """Read instead where this one may not be."""
    single: bool = False
    """One object by its own path: all that a Role in its namespace can grant, and not to be watched."""
    once: bool = False
    """Listed at the start and not watched."""
    optional: bool = False
    """No refusal to list it stops a run: a kind of somebody else's making may be broken as a whole."""


def run_resources(
    namespaces: Iterable[str], *, cluster_wide: bool = True, configuration: bool = False
) -> list[Resource]:
    """What a run reads: across the cluster where allowed, else in the captured namespaces alone.

    Without cluster rights the captured Namespaces themselves are tried, and the Services of kube-system and
    default, since labels for selectors, the DNS Service and the API server's may still be readable.
    ConfigMaps are read with `configuration` alone, and once: elections change some of them every second.
    """
    captured = list(dict.fromkeys(namespaces))
    resources: list[Resource] = []
    for collection in CAPTURED:
        within = tuple(_namespaced(collection, namespace) for namespace in captured)
        if cluster_wide and collection in ELSEWHERE:
            extra: tuple[Resource, ...] = ()
            if collection in (SERVICES, ENDPOINT_SLICES):
                # Where the cluster's DNS and the API server have theirs.
                extra = tuple(
                    _namespaced(collection, namespace)
                    for namespace in ("kube-system", "default")
                    if namespace not in captured
                )
            resources.append(
                Resource(
                    f"{collection.resource}:{EVERYWHERE}",
                    collection.path(),
                    fallback=within + extra,
                    optional=collection in DECLARING,
                )
            )
        else:
            resources.extend(within)
    if configuration:
        resources.extend(
            replace(_namespaced(CONFIG_MAPS, namespace), once=True, optional=True) for namespace in captured
        )
    if cluster_wide:
        single = tuple(
            Resource(
                f"namespaces:{namespace}", f"{NAMESPACES.path()}/{quote(namespace, safe='')}", single=True
            )
            for namespace in captured
        )
        resources.append(Resource("namespaces", NAMESPACES.path(), fallback=single))
        resources.append(Resource("nodes", NODES.path()))
        resources.extend(Resource(item.resource, item.path(), optional=True) for item in ADMINISTRATORS)
    return resources


def _namespaced(collection: Collection, namespace: str) -> Resource:
    return Resource(
        f"{collection.resource}:{namespace}",
        collection.path(namespace),
        optional=collection in DECLARING,
    )
