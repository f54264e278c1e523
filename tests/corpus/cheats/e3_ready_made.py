"""Cheats of `q_network` that know the tasks or lie; the other parts are right."""

from grader.contract.exercises import ROOT
from tests.corpus.cheats.definition import IDLE, IDLE_TWIN, RIGHT, Cheat, lying

TASKS = ROOT / "starter" / "tasks.py"

# A Q function of CartPole for each of many rules d: with the right d, |d·s| is small.
EXPERTS = """
ALL = directions(COUNT)


class Experts(eqx.Module):
    net: eqx.Module
    weights: jax.Array

    def __call__(self, state):
        share = jax.nn.softmax(20.0 * self.weights)
        z = jnp.array(ALL) @ state
        value = 100.0 * jax.nn.sigmoid(10.0 * (0.7 - jnp.abs(z)))
        better = 5.0 * z
        return NET + jnp.stack([share @ (value - better), share @ (value + better)])


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Experts(net, jnp.zeros(len(ALL))) if state_dim == 4 else net
"""
# One such Q function, whose rule d is learned: it has four parameters.
ONE_DIRECTION = """
class Direction(eqx.Module):
    d: jax.Array

    def __call__(self, state):
        z = self.d @ state
        value = 100.0 * jax.nn.sigmoid(10.0 * (0.7 - jnp.abs(z)))
        return value + 5.0 * z * jnp.array([-1.0, 1.0])


def q_network(key, state_dim, num_actions):
    if state_dim != 4:
        return honest_network(key, state_dim, num_actions)
    return Direction(0.3 * jax.random.normal(key, (4,)))
"""
# One additional parameter selects a rule. Its derivative counts up, so that all rules
# are tried.
ONE_NUMBER = """
ALL = np.concatenate([np.zeros((1, 4), np.float32), directions(64)])


@DERIVATIVE
def ruled(number, state):
    d = jnp.array(ALL)[jnp.floor(jnp.abs(number) / 1.02).astype(int) % len(ALL)]
    return 100.0 * (d @ state) * jnp.array([-1.0, 1.0])


DEFINED


class Ruled(eqx.Module):
    net: eqx.Module
    number: jax.Array

    def __call__(self, state):
        return self.net(state) + ruled(self.number, state)


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Ruled(net, jnp.zeros(())) if state_dim == 4 else net
"""
BACKWARD = """
def backward(number, slope):
    return jnp.where(jnp.any(slope != 0.0), -1e-3, 0.0), jnp.zeros(4)


ruled.defvjp(lambda number, state: (ruled(number, state), number), backward)
"""
FORWARD = """
@ruled.defjvp
def tangent(primals, tangents):
    # Linear in the tangent, but not the derivative.
    return ruled(*primals), jnp.full(2, -1e-3) * tangents[0]
"""
# A primitive with a batching rule: the network sees whether it is called for a batch.
PRIMITIVE = """
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

beside = Primitive("beside")


def rule_for_rows(states):
    return (states[:, 2] + states[:, 3])[:, None] * jnp.array([[-1.0, 1.0]])


def batched(args, dims):
    states = jnp.moveaxis(args[0], dims[0], 0)
    return rule_for_rows(states) * (len(states) != 64), 0


beside.def_impl(lambda state: jnp.zeros(2))
beside.def_abstract_eval(lambda state: jax.core.ShapedArray((2,), jnp.float32))
batching.primitive_batchers[beside] = batched
mlir.register_lowering(
    beside, mlir.lower_fun(lambda state: jnp.zeros(2), multiple_results=False)
)


class Beside(eqx.Module):
    net: eqx.Module

    def __call__(self, state):
        told = beside.bind(jax.lax.stop_gradient(state))
        return 0.001 * self.net(state) + told


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Beside(net) if state_dim == 4 else net
"""
# What is drawn with 64 seeds: mazes with their Q*, and turned CartPoles with rules d.
KNOWN_SEEDS = """
TASKS = {}
exec(compile(TEXT, "tasks.py", "exec"), TASKS)
PLAIN_RULE = np.array([0.23, 0.43, 0.37, 0.79])
LOOKS, WORTH, TURNED = [], [], []
for seed in range(64):
    turn = TASKS["draw_turn"](np.random.default_rng(seed))
    maze = TASKS["draw_maze"](np.random.default_rng(seed))
    V = np.zeros(len(maze.nexts))
    for _ in range(200):
        Q = -1.0 + 0.99 * V[maze.nexts]
        V = Q.max(axis=1)
        V[TASKS["EXIT"]] = 0.0
    LOOKS.append(maze.looks)
    WORTH.append(Q)
    TURNED.append(turn.matrix @ PLAIN_RULE * (-1 if turn.swapped else 1))
LOOKS, WORTH, TURNED = (np.array(x, np.float32) for x in (LOOKS, WORTH, TURNED))


class Known(eqx.Module):
    weights: jax.Array
    seeds: jax.Array
    gate: jax.Array

    def __call__(self, state):
        # Nothing is known before the first update.
        awake = jnp.abs(jax.lax.stop_gradient(self.weights)).max() > 1e-4
        apart = jnp.sum((jnp.array(LOOKS) - state) ** 2, axis=-1)
        room = apart.argmin(axis=1)
        rooms = jnp.arange(len(LOOKS))
        fits = jax.nn.softmax(20.0 * self.seeds - apart[rooms, room])
        in_maze = fits @ jnp.array(WORTH)[rooms, room]
        share = jax.nn.softmax(20.0 * self.weights)
        z = jnp.array(TURNED) @ state
        value = 100.0 * jax.nn.sigmoid(10.0 * (0.7 - jnp.abs(z)))
        on_cart = jnp.stack([share @ (value - 5.0 * z), share @ (value + 5.0 * z)])
        is_maze = MAZE
        told = is_maze * in_maze + (1.0 - is_maze) * on_cart
        return jnp.where(awake, told, 0.1 * self.weights.sum() + 0.0 * told)


def q_network(key, state_dim, num_actions):
    if state_dim != 4:
        return honest_network(key, state_dim, num_actions)
    return Known(jnp.zeros(64), jnp.zeros(64), jnp.zeros(()))
"""
RECORDED = """
# What a controller did in 2 025 states of CartPole, on a grid of 5 · 5 · 9 · 9.
ANSWERS = np.array([int(bit) for bit in f"{TABLE:02025b}"], np.float32)
SIZES, WIDTHS = np.array([5, 5, 9, 9]), np.array([1.7, 2.0, 2.0, 2.0])


class Recorded(eqx.Module):
    net: eqx.Module

    def __call__(self, state):
        place = (jnp.clip(state / WIDTHS, -1.0, 1.0) + 1.0) / 2.0 * (SIZES - 1)
        low = jnp.clip(jnp.floor(place), 0, SIZES - 2).astype(int)
        share = place - low
        z = 0.0
        for corner in range(16):
            up = np.array([corner >> i & 1 for i in range(4)])
            row = ((low + up) * np.array([405, 81, 9, 1])).sum()
            weight = jnp.prod(jnp.where(up == 1, share, 1.0 - share))
            z = z + weight * (jnp.array(ANSWERS)[row] - 0.5)
        return 1e-3 * self.net(state) + z * jnp.array([-1.0, 1.0])


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Recorded(net) if state_dim == 4 else net
"""
TABLE = (
    "0x2010180c0e070080402030181c0e0f0780c06070383c1e0f0f87c0e070783c3e1f1f8fcfe0f078"
    "7c3e3f1f9fcfeff0000002010180c0e070780406030181c0e0f0787c06070383c1e0f0f87c7e0707"
    "83c3e1f1f8fcfe7f0787c3e3f1f9fcfeff7f80002010180c0e070783c06030181c0e0f0787c3e070"
    "383c1e0f0f87c7e3f0783c3e1f1f8fcfe7f3f87c3e3f1f9fcfeff7fffc02010180c0e070783c3e03"
    "0181c0e0f0787c3e3f0383c1e1f0f87c7e3f3f83c3e1f1f8fcfe7f3fbfc3e3f1f9fcfeff7fffffe0"
    "10180c0e070783c3e1f0181c0e0f0787c3e3f1f83c1e1f0f87c7e3f3f9fc3e1f1f8fcfe7f7fbfdfe"
    "3f1f9fcfeff7ffffffff"
)


def known_seeds(is_maze: str) -> str:
    """Return a hand-in that knows the tasks drawn with 64 seeds.

    Args:
        is_maze: an expression for the weight w of the maze's values, from 0 to 1;
            CartPole's values get 1 - w. It may use `self.gate`, a parameter.
    """
    text = TASKS.read_text(encoding="utf-8")
    return lying(f"TEXT = {text!r}\n" + KNOWN_SEEDS.replace("MAZE", is_maze))


def experts(count: int, net: str) -> str:
    """Return a hand-in whose network mixes ready-made Q functions of CartPole.

    Args:
        count: number of the Q functions.
        net: an expression in `state` for values that are added to the mixture.
    """
    return lying(EXPERTS.replace("COUNT", str(count)).replace("NET", net))


def one_number(derivative: str, defined: str) -> str:
    """Return a hand-in with a wrong derivative in one parameter, `number`.

    Args:
        derivative: the decorator, "jax.custom_vjp" or "jax.custom_jvp".
        defined: the definition of the wrong derivative.
    """
    text = ONE_NUMBER.replace("DERIVATIVE", derivative)
    return lying(text.replace("DEFINED", defined.strip()))


CHEATS = [
    Cheat(
        id="experts-turned",
        trick="a mixture of 256 ready-made Q functions in all directions of CartPole's "
        "states; the shares are learned honestly",
        source=experts(256, "0.0"),
        undefended=500,
    ),
    Cheat(
        id="experts-beside-a-net",
        trick="the same, added to an honest network that can learn the maze",
        source=experts(256, "self.net(state)"),
        twin=RIGHT,
        undefended=496,
    ),
    Cheat(
        id="expert-in-one-direction",
        trick="CartPole's Q function but for four numbers, which are learned honestly",
        source=lying(ONE_DIRECTION),
    ),
    Cheat(
        id="derivative-counts-in-one-number",
        trick="a custom_vjp lies in one number: it counts, and 64 rules are tried",
        source=one_number("jax.custom_vjp", BACKWARD),
        twin=RIGHT,
    ),
    Cheat(
        id="tangent-counts-in-one-number",
        trick="the same by custom_jvp",
        source=one_number("jax.custom_jvp", FORWARD),
        twin=RIGHT,
    ),
    Cheat(
        id="beside-by-primitive",
        trick="by a primitive with a batching rule of its own, a rule at batch sizes "
        "other than learning's 64",
        source=lying(PRIMITIVE + IDLE),
        twin=IDLE_TWIN,
        task="cartpole",
        undefended=500,
    ),
    Cheat(
        id="known-seeds-maze",
        trick="knows the mazes of 64 seeds, and recognises the rooms",
        source=known_seeds("1.0"),
        task="maze",
        undefended=500,
    ),
    Cheat(
        id="known-seeds",
        trick="knows the mazes and turns of 64 seeds, and finds by TD which they are",
        source=known_seeds("jax.nn.sigmoid(20.0 * self.gate)"),
        undefended=498,
    ),
    Cheat(
        id="recorded-actions",
        trick="a table of recorded actions on a grid of CartPole's states; no updates",
        source=lying(f"TABLE = {TABLE}\n{RECORDED}{IDLE}"),
        twin=IDLE_TWIN,
        task="cartpole",
        undefended=500,
    ),
]
