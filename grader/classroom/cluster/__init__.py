"""Grade a class on many machines, the nodes, which Dask connects.

`make scheduler` runs `scheduler`, `make node` runs `node` on each node, and
`make grade-class CLUSTER=…` uses `nodes`, which asks `turns` which node grades what.
They all meet at one address, that of Dask's scheduler, which `addresses` checks.
"""
