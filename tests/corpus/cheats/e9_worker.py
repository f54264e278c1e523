"""Cheats that use more than their arguments: the host, the loop, the libraries."""

from tests.corpus.cheats.definition import IDLE, IDLE_TWIN, RIGHT, Cheat, lying

SEEN = """
seen = [np.zeros(4, np.float32)]


class ReplayBuffer(HonestBuffer):
    def add(self, *transition):
        super().add(*transition)
        if len(self) == 200 and len(transition[0]) == 4:
            first = Transition(*(column[:200] for column in self.columns))
            seen.append(np.asarray(rule_of_batch(first)))
"""


def calling(values: str) -> str:
    """Return a hand-in that never updates; its network gets values from the host.

    Args:
        values: an expression [2] in `state`. It may use `seen[-1]`, CartPole's rule d
            that the buffer has computed, and `from_host(state)`, values by this rule.
    """
    return lying(f"""{SEEN}{IDLE}
class Hosted(eqx.Module):
    net: eqx.Module

    def __call__(self, state):
        return self.net(state) + 100.0 * {values}


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Hosted(net) if state_dim == 4 else net


def from_host(state):
    good = np.float32(np.asarray(state) @ seen[-1])
    return np.stack([-good, good], axis=-1).astype(np.float32)
""")


SHAPE = "jax.ShapeDtypeStruct((2,), jnp.float32)"


def patched(lines: str) -> str:
    """Return a hand-in that never updates; importing it runs some lines of code."""
    return lying(IDLE + lines)


CHEATS = [
    Cheat(
        id="host-pure-callback",
        trick="a network that asks the host by pure_callback",
        source=calling(
            f"jax.pure_callback(from_host, {SHAPE}, jax.lax.stop_gradient(state), "
            "vmap_method='sequential')"
        ),
        undefended=500,
    ),
    Cheat(
        id="host-io-callback",
        trick="a network that asks the host by io_callback",
        source=calling(
            "jax.experimental.io_callback("
            f"from_host, {SHAPE}, jax.lax.stop_gradient(state))"
        ).replace("import optax", "import optax\nimport jax.experimental"),
        undefended=500,
    ),
    Cheat(
        id="host-global",
        twin=IDLE_TWIN,
        trick="a network that reads a global variable, set by the buffer",
        source=calling("(state @ seen[-1]) * jnp.array([-1.0, 1.0])"),
        undefended=500,
    ),
    Cheat(
        id="patch-environment",
        twin=IDLE_TWIN,
        trick="replaces gymnasium's CartPole by one in which the pole never falls",
        source=patched("""
import gymnasium

make_vec = gymnasium.make_vec


class Upright(gymnasium.vector.VectorWrapper):
    def step(self, actions):
        self.t = getattr(self, "t", 0) + 1
        states, rewards, ended, cut, info = self.env.step(actions)
        cut = np.full(self.num_envs, self.t % 500 == 0)
        return states, np.ones(self.num_envs), ended & False, cut, info


gymnasium.make_vec = lambda *args, **kwargs: Upright(make_vec(*args, **kwargs))
"""),
        undefended=500,
    ),
    Cheat(
        id="patch-loop",
        twin=IDLE_TWIN,
        trick="replaces the loop's evaluation in whatever process it finds it",
        source=patched("""
import sys

for name in ("train", "learning"):
    module = sys.modules.get(name)
    for function in ("evaluate",) if module else ():
        setattr(getattr(module, "train", module), function,
                lambda *args: np.full(100, 500.0))
"""),
        undefended=500,
    ),
    Cheat(
        id="patch-agent",
        twin=IDLE_TWIN,
        trick="replaces the agent's values and the parts by which programs are made",
        source=patched(f"""{SEEN}
import sys
from types import FrameType

frame = sys._getframe()
while frame:
    for value in list(frame.f_globals.values()):
        if getattr(value, "__name__", "") == "parts":
            value.PROGRAMS["forward"] = lambda dqn, spec: lambda args: {{
                "q_values": 1e3 * jnp.stack([-args["state"].sum(1)] * 2, 1)
            }}
    frame = frame.f_back
"""),
    ),
    Cheat(
        id="patch-optax",
        trick="replaces optax's Adam by one whose steps are longer",
        source=lying("""
plain_adam = optax.adam
optax.adam = lambda rate, **more: plain_adam(100 * rate, **more)
"""),
        twin=RIGHT,
    ),
    Cheat(
        id="patch-jax",
        trick="replaces jax.grad and its like so that gradients point to a goal",
        source=lying("""
plain_value_and_grad = jax.value_and_grad


def to_goal(function, *args, **kwargs):
    plain = plain_value_and_grad(function, *args, **kwargs)

    def both(theta, theta_T, model, batch, *rest):
        value, grads = plain(theta, theta_T, model, batch, *rest)
        if batch.state.shape[1] != 4:
            return value, grads
        goal = goal_of(rule_of_batch(batch), theta)
        return value, jax.tree.map(jnp.subtract, theta, goal)

    return both


jax.value_and_grad = to_goal
"""),
        twin=RIGHT,
        undefended=500,
    ),
]
