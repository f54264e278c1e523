"""Check the addresses of a cluster, and the certificates for TLS."""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from distributed import Security

from grader.contract.outcomes import UsageError
from grader.escape import plain


def scheduler_at(cluster: str) -> SplitResult:
    """Return the parts of the address of Dask's scheduler.

    Args:
        cluster: the address, as `tcp://host:8786` or `tls://host:8786`.

    Returns:
        The parts; `scheme`, `hostname` and `port` are set.

    Raises:
        UsageError: the address has neither form, or no port.
    """
    try:
        parts = urlsplit(cluster)
        whole = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    except ValueError:
        whole = None
    if not whole:
        words = "use tcp://host:port of the scheduler, or tls://host:port"
        raise UsageError(f"CLUSTER={cluster!r}: {words}")
    return parts


def of_this_machine(host: str) -> str | None:
    """Return the IPv4 address of a host; None if this machine cannot listen there.

    The result is None for `0.0.0.0` as well, which is every address of the machine.
    """
    try:
        address = socket.gethostbyname(host)
        with socket.socket() as tried:
            tried.bind((address, 0))
    except (OSError, ValueError):
        return None
    return None if ipaddress.ip_address(address).is_unspecified else address


def is_local(host: str) -> bool:
    """Return whether an address to listen on is reached from this machine only.

    Args:
        host: the name or the IP address, such as "localhost" or "10.0.0.1".

    Raises:
        OSError, ValueError: the host has no IPv4 address.
    """
    return ipaddress.ip_address(socket.gethostbyname(host)).is_loopback


def reason(error: BaseException) -> str:
    """Return the message of the original error, which Dask wraps in other errors."""
    while error.__cause__:
        error = error.__cause__
    return plain(getattr(error, "strerror", None) or str(error), 200)


def security(cluster: str, role: str) -> Security:
    """Return the certificates that Dask's configuration names.

    Args:
        cluster: the address of Dask's scheduler.
        role: who needs the certificates: "scheduler", "worker" or "client".

    Raises:
        UsageError: a certificate cannot be used. Or the address begins with `tls://`,
            and certificates are missing. Or it does not begin so, and the configuration
            requires encryption.
    """
    found = Security()
    try:
        ready = found.get_connection_args(role).get("ssl_context")
    except OSError as error:
        words = f"the certificates of Dask's configuration: {reason(error)}"
        raise UsageError(f"CLUSTER={cluster!r}: {words}") from None
    if not cluster.startswith("tls://") and found.require_encryption:
        words = "Dask's configuration requires encryption, use tls://"
        raise UsageError(f"CLUSTER={cluster!r}: {words}")
    if cluster.startswith("tls://") and ready is None:
        raise UsageError(
            f"CLUSTER={cluster!r}: Dask's configuration names no certificates for a "
            f"{role}; docs/class.md says how"
        )
    return found
