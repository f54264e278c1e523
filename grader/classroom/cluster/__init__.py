"""Grade a class on many machines, the nodes, which Dask connects.

`make scheduler` runs `scheduler.py`, `make node` runs `node.py` on each node, and
`make grade-class CLUSTER=…` uses `nodes.py`. They meet at one address, that of Dask's
scheduler. Dask is used for its connections alone: which hand-in a node grades is
decided in `turns.py`.

Dask's own queue is not used, for three reasons. A task that waits for a resource is not
given to a node that tells this resource after it has joined, so a node that joins late
stays idle (dask/distributed, `Scheduler.add_resources`; issue 1116). If a node dies,
each task that waits there counts as a possible cause, started or not; after some
deaths, `allowed-failures`, all of them fail (issue 5234). And a task that may have
killed a node is never run alone.
"""
