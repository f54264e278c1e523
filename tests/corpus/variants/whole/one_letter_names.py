"""Terse."""

from collections import namedtuple

import equinox as e
import jax as j
import jax.numpy as n
import numpy as o

v, g = j.vmap, j.random
Transition = namedtuple("Transition", "state action reward terminated next_state")


def episode_terminateds(t):
    return o.eye(t, dtype=bool)[-1]


def update_Q_TD0(q, s, a, r, z, d, alpha, y):
    return q.at[s, a].add(alpha * (r + y * q[z].max(1) * (n.equal(d, 0)) - q[s, a]))


def discounted_returns(r, y):
    return n.array([n.polyval(n.flip(r[i:]), y) for i in range(len(r))])


def mc_loss(t, m, s, a, r, y):
    return n.mean(
        (v(e.combine(t, m))(s)[n.arange(len(a)), a] - discounted_returns(r, y)) ** 2
    )


def q_network(k, d, a):
    return e.nn.MLP(d, a, 99, 2, j.nn.softplus, key=k)


def epsilon_greedy(k, q, p):
    a, b = g.split(k)
    w = q.shape
    return n.where(g.uniform(a, w[:1]) < p, g.randint(b, w[:1], 0, w[1]), q.argmax(1))


class ReplayBuffer:
    """B."""

    def __init__(self, c):
        self.c, self.b = c, []

    def add(self, *x):
        """A."""
        self.b = [*self.b, [*map(o.copy, x)]][-self.c :]

    def __len__(self):
        return len(self.b)

    def sample(self, b, r):
        """S."""
        i = r.choice(len(self), b)
        return Transition(*map(o.array, zip(*[self.b[k] for k in i], strict=True)))


def td_loss(t, u, m, b, y):
    s, a, r, d, z = b
    f, h = (v(e.combine(w, m)) for w in (t, u))
    return (
        ((f(s) * n.eye(f(s).shape[1])[a]).sum(1) - r - y * (1 - d) * h(z).max(1)) ** 2
    ).mean()


def td_update(t, u, m, b, o, s, y):
    l, d = j.value_and_grad(td_loss)(t, u, m, b, y)  # noqa: E741
    d, s = o.update(d, s, t)
    return j.tree.map(n.add, t, d), s, l


def sync_target(q, t, s, p):
    return t if s % p else q
