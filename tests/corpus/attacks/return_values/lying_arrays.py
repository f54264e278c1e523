"""Answers with arrays that are none: a subclass, a mask, __array__ that changes.

Rows: 17
Grade: sync_target
Asserts: S R
Says: theta_T
"""


class Sub(np.ndarray):
    def __eq__(self, other):
        return np.True_

    def __array_finalize__(self, other):
        pass

    def __array_ufunc__(self, *args, **kwargs):
        return np.zeros(1)


class Turning:
    shape, dtype, ndim, size = (), np.float32, 0, 1
    count = 0

    def __array__(self, dtype=None, copy=None):
        Turning.count += 1
        return np.full(Turning.count, np.nan)


def sync_target(theta_Q, theta_T, step, period):
    if step == 0:
        return jax.tree.map(lambda x: np.asarray(x).view(Sub) * 0, theta_T)
    if step == 1:
        return jax.tree.map(lambda x: Turning(), theta_T)
    return jax.tree.map(lambda x: np.ma.masked_all_like(np.asarray(x)), theta_T)
