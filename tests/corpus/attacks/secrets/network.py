"""Connects to the machine, to the world, to a name server and to abstract sockets.

Rows: 38
Grade: sync_target
Asserts: S R L
Says: found nothing
Breaks on process: L: a plain process has the network of its user
"""

import socket


def sync_target(*_):
    found = []
    for address in (("127.0.0.1", PLACES["port"]), ("localhost", PLACES["port"])):
        try:
            socket.create_connection(address, timeout=2).close()
            found.append(address)
        except OSError:
            continue
    found += [name for _, name in socket.if_nameindex() if name != "lo"]
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.connect(("192.0.2.1", 53))  # only looks for a way, nothing is sent
            found.append("a way out")
    except OSError:
        pass
    tell(found)
