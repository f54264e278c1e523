"""Train DQN without some of its parts: `make ablate`. Supplied and complete.

DQN learns CartPole-v1 once as it is, and once without each of three parts: the target
network, the factor ¬d, the replay buffer. For comparison, Monte Carlo learns as well.
The parts are those that you wrote in `dqn.py`. The network and the optimizer are given,
so that all students see about the same picture. The optimizer is the plain gradient
descent of the lecture: Adam's steps have a limited length, which would hide how fast Q
can grow.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import dqn
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from progress import shown
from tasks import make_cartpole
from train import STOPPED, evaluate, seed_of, writable

NUM_ENVS = 8
ENV_STEPS = 24_576
BLOCK_STEPS = 256  # environment steps from one block of updates to the next
BLOCK_UPDATES = 128  # gradient updates in one block; θ_T is renewed after each block
BATCH_SIZE = 64
CAPACITY = 10_000
GAMMA = 0.99
EPSILON_STEPS = 8_000  # ε falls from 1 to 0.04 in a straight line
EVALUATE_STEPS = 1_024
EVALUATION_EPISODES = 20
LARGEST_Q = 1 / (1 - GAMMA)  # 1 + γ + γ² + …: a reward of 1 for ever
OPTIMIZER = optax.sgd(1e-3)
TOP = 1e6  # where the axes of Q and loss end; ∞ is drawn there


class Ablation(NamedTuple):
    """One way to learn: DQN, DQN without one part, or Monte Carlo.

    Attributes:
        name: the name in the table and in the picture.
        target_network: whether the labels come from θ_T, and not from θ_Q.
        mask: whether d is stored as it is, and not as false.
        replay: whether batches are drawn from the buffer, and not taken in order.
        monte_carlo: whether the labels are the returns of whole episodes.
    """

    name: str
    target_network: bool = True
    mask: bool = True
    replay: bool = True
    monte_carlo: bool = False


DQN = Ablation("DQN")
ABLATIONS = (
    Ablation("without target network", target_network=False),
    Ablation("without ¬d", mask=False),
    Ablation("without replay", replay=False),
    Ablation("Monte Carlo", monte_carlo=True),
)


class Point(NamedTuple):
    """What is measured after some environment steps.

    Attributes:
        env_step: the environment steps so far.
        mean_return: the mean return of greedy episodes.
        max_q: the largest Q(s, a) in the last visited states; inf instead of nan.
        loss: the mean loss of the last updates; nan without updates, inf where
            `max_q` is inf and the loss is nan.
    """

    env_step: int
    mean_return: float
    max_q: float
    loss: float


# ---------------------------------------------------------------- learning


class Learner:
    """A network that learns in the way of one ablation.

    Args:
        ablation: the way to learn.
        seed: the seed of the parameters, the actions and the batches.
    """

    def __init__(self, ablation: Ablation, seed: int) -> None:
        self.ablation = ablation
        network_key, self.key = jax.random.split(jax.random.key(seed))
        self.rng = np.random.default_rng(seed)
        net = eqx.nn.MLP(4, 2, 64, 2, jax.nn.leaky_relu, key=network_key)
        self.theta_Q, model = eqx.partition(net, eqx.is_array)
        self.theta_T, self.opt_state = self.theta_Q, OPTIMIZER.init(self.theta_Q)
        self.num_updates, self.buffer = 0, dqn.ReplayBuffer(CAPACITY)
        self.running = [[] for _ in range(NUM_ENVS)]  # the episodes under way
        self.ended = []  # the episodes that ended since the last updates
        self.in_order = []  # transitions of ended episodes, in the order of time

        def q_values(theta, states):
            return jax.vmap(eqx.combine(theta, model))(states)

        def act(key, theta, states, epsilon):
            return dqn.epsilon_greedy(key, q_values(theta, states), epsilon)

        def td_update(carry, batch):
            theta_Q, theta_T, opt_state = carry
            theta_label = theta_T if ablation.target_network else theta_Q
            theta_Q, opt_state, loss = dqn.td_update(
                theta_Q, theta_label, model, batch, OPTIMIZER, opt_state, GAMMA
            )
            return (theta_Q, theta_T, opt_state), loss

        def mc_update(carry, batch):
            theta_Q, theta_T, opt_state = carry

            # The return of an episode of one step is its reward. So each step is an
            # episode with its return as reward, and a batch can mix steps of many.
            def mc_loss(theta):
                of_one = partial(dqn.mc_loss, theta, model, gamma=GAMMA)
                return jax.vmap(of_one)(*(x[:, None] for x in batch)).mean()

            loss, grads = jax.value_and_grad(mc_loss)(theta_Q)
            updates, opt_state = OPTIMIZER.update(grads, opt_state)
            return (eqx.apply_updates(theta_Q, updates), theta_T, opt_state), loss

        one_update = mc_update if ablation.monte_carlo else td_update
        sampled = self.sampled if ablation.replay else self.consecutive
        self.batches = self.with_returns if ablation.monte_carlo else sampled
        self.q_values_of, self.act_by = jax.jit(q_values), jax.jit(act)
        self.updates = jax.jit(partial(jax.lax.scan, one_update))

    def q_values(self, states: np.ndarray) -> np.ndarray:
        """Return Q(s, a) for all actions [N,A], for states [N,D]."""
        return np.asarray(self.q_values_of(self.theta_Q, states))

    def act(self, states: np.ndarray, epsilon: float) -> np.ndarray:
        """Return epsilon-greedy actions [N] for states [N,D]."""
        self.key, key = jax.random.split(self.key)
        return np.asarray(self.act_by(key, self.theta_Q, states, epsilon))

    def observe(self, env: int, transition: dqn.Transition, ended: bool) -> None:
        """Store a transition; if its episode has ended, store the episode, too.

        Args:
            env: the number of the environment.
            transition: the transition.
            ended: whether the episode ended with this transition.
        """
        if not self.ablation.mask:
            transition = transition._replace(terminated=False)
        self.buffer.add(*transition)
        self.running[env].append(transition)
        if ended:
            self.ended.append(self.running[env])
            self.running[env] = []

    def learn(self) -> float:
        """Do a block of updates and return the mean loss; nan if there was no data."""
        batches = self.batches()
        if not batches:
            return float("nan")
        carry = self.theta_Q, self.theta_T, self.opt_state
        (self.theta_Q, _, self.opt_state), losses = self.updates(carry, batches)
        self.num_updates += BLOCK_UPDATES
        self.theta_T = dqn.sync_target(
            self.theta_Q, self.theta_T, self.num_updates, BLOCK_UPDATES
        )
        return float(jnp.mean(losses))

    def sampled(self) -> dqn.Transition:
        """Return random batches: for each field an array [updates,B,...]."""
        draw = partial(self.buffer.sample, BATCH_SIZE, self.rng)
        samples = [draw() for _ in range(BLOCK_UPDATES)]
        return dqn.Transition(*map(np.stack, zip(*samples, strict=True)))

    def consecutive(self) -> dqn.Transition | None:
        """Return batches of the newest transitions, in order.

        A window moves over the episodes that ended since the last updates. The number
        of updates is that of DQN; only the choice of transitions differs. The result is
        None if there are no new transitions, or too few for a batch.
        """
        new = [transition for episode in self.ended for transition in episode]
        self.ended = []
        self.in_order = self.in_order[-BATCH_SIZE:] + new
        last = len(self.in_order) - BATCH_SIZE
        if not new or last < 0:
            return None
        starts = np.linspace(0, last, BLOCK_UPDATES).astype(int)
        rows = starts[:, None] + np.arange(BATCH_SIZE)
        columns = zip(*self.in_order, strict=True)
        return dqn.Transition(*(np.array(column)[rows] for column in columns))

    def with_returns(self) -> tuple[np.ndarray, ...] | None:
        """Return batches (states, actions, returns) of the newly ended episodes.

        The result is None if no episode has ended.
        """
        if not self.ended:
            return None
        columns = [zip(*episode, strict=True) for episode in self.ended]
        self.ended = []
        labelled = [(s, a, returns_of(r)) for s, a, r, *_ in columns]
        states, actions, returns = map(np.concatenate, zip(*labelled, strict=True))
        rows = self.rng.integers(len(states), size=(BLOCK_UPDATES, BATCH_SIZE))
        return states[rows], actions[rows], returns[rows]


def returns_of(rewards: Sequence[float]) -> np.ndarray:
    """Return the discounted returns of an episode [T].

    Before the computation, rewards of 0 are appended, which change no return. So the
    length is a power of two. JAX compiles anew for each length, and so compiles less.
    """
    num_steps = len(rewards)
    padded = np.zeros(1 << (num_steps - 1).bit_length(), np.float32)
    padded[:num_steps] = rewards
    returns = dqn.discounted_returns(jnp.asarray(padded), GAMMA)
    return np.asarray(returns)[:num_steps]


def curve_of(ablation: Ablation, seed: int, env_steps: int) -> list[Point]:
    """Let an ablation learn, show a line of progress, and return its curve.

    The curve ends early if Q becomes nan or infinite, because Q cannot recover.
    """
    learner, curve = Learner(ablation, seed), []
    envs, evaluation_envs = make_cartpole(NUM_ENVS), make_cartpole(EVALUATION_EPISODES)
    states, _ = envs.reset(seed=seed)
    visited, just_ended = [], np.zeros(NUM_ENVS, dtype=bool)
    show(f"{ablation.name}: compiling …")
    for env_step in range(NUM_ENVS, env_steps + 1, NUM_ENVS):
        epsilon = max(0.04, 1 - 0.96 * env_step / EPSILON_STEPS)
        actions = learner.act(states, epsilon)
        next_states, rewards, terminateds, truncateds, _ = envs.step(actions)
        fields = states, actions, rewards.astype(np.float32), terminateds, next_states
        for env, row in enumerate(zip(*fields, strict=True)):
            # The step after the end of an episode is no transition: see train.py.
            if not just_ended[env]:
                ended = bool(terminateds[env] or truncateds[env])
                learner.observe(env, dqn.Transition(*row), ended)
        visited = [*visited, states][-BLOCK_STEPS // NUM_ENVS :]
        just_ended, states = terminateds | truncateds, next_states
        if env_step % BLOCK_STEPS == 0:
            loss = learner.learn()
            if env_step % EVALUATE_STEPS == 0:
                returns = evaluate(learner, evaluation_envs, seed + env_step)
                max_q = learner.q_values(np.concatenate(visited)).max()
                if not np.isfinite(max_q):
                    max_q, loss = np.inf, np.inf if np.isnan(loss) else loss
                numbers = map(float, (returns.mean(), max_q, loss))
                curve.append(Point(env_step, *numbers))
                show(f"{ablation.name}: step {env_step:5d} of {env_steps}")
                if max_q == np.inf:
                    break
    return curve


def show(words: str) -> None:
    """Show a line of progress in a terminal, in place of the line before."""
    if sys.stdout.isatty():
        print(f"\r{words:<60}\r", end="", flush=True)


# ---------------------------------------------------------------- table and picture

COLUMNS = "{:<24}{:>7}{:>14}{:>14}{:>12}"
HEADER = COLUMNS.format("", "return", "max Q at 4096", "largest max Q", "last loss")


def table_row(ablation: Ablation, curve: list[Point]) -> str:
    """Return an ablation's line of the table, at most 80 columns wide."""
    last = np.mean([point.mean_return for point in curve[-5:]])
    early = next((p.max_q for p in curve if p.env_step >= 4096), curve[-1].max_q)
    numbers = early, max(point.max_q for point in curve), curve[-1].loss
    return COLUMNS.format(ablation.name, f"{last:.0f}", *map(short, numbers))


def short(number: float) -> str:
    """Return a number in at most five characters; ∞ for inf, – for nan."""
    special = "–" if np.isnan(number) else "∞"
    return f"{number:.3g}" if np.isfinite(number) else special


def save_picture(curves: list[tuple[Ablation, list[Point]]], path: Path) -> None:
    """Draw a row of axes for each ablation, with DQN in grey; write a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    (_, base), *others = curves
    size = 10, 2.2 * len(others) + 0.6
    options = {"figsize": size, "sharex": True, "sharey": "col", "squeeze": False}
    figure, rows = plt.subplots(len(others), 3, layout="constrained", **options)
    for number, ((ablation, curve), row) in enumerate(zip(others, rows, strict=True)):
        for field, axes in enumerate(row, 1):
            draw(axes, base, field, "DQN", "0.6")
            draw(axes, curve, field, ablation.name, f"C{number}")
            axes.grid(alpha=0.3)
        row[1].axhline(LARGEST_Q, color="black", linestyle=":", linewidth=1)
        row[1].text(ENV_STEPS / 50, LARGEST_Q, "1/(1-γ)", va="bottom")
        row[0].set_ylabel(ablation.name.replace(" target", "\ntarget"), weight="bold")
        row[0].legend(loc="upper left", fontsize=8)
    # The axes of a column share their limits.
    rows[0, 0].set(title="mean return of greedy episodes", ylim=(0, 510))
    rows[0, 1].set(title="max Q (log; top: ∞)", yscale="log", ylim=(1, TOP * 2))
    rows[0, 2].set(title="loss (log; top: ∞)", yscale="log", ylim=(1e-3, TOP * 2))
    for axes in rows[-1]:
        axes.set(xlabel="environment steps", xlim=(0, ENV_STEPS))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw(axes, curve: list[Point], field: int, label: str, colour: str) -> None:
    """Draw one quantity of a curve; a cross marks where Q became infinite.

    Args:
        axes: the axes to draw in.
        curve: the curve.
        field: the index of the quantity in a `Point`.
        label: the name in the legend.
        colour: the colour.
    """
    steps = np.array([point.env_step for point in curve])
    values = np.array([point[field] for point in curve])
    known = ~np.isnan(values)
    axes.plot(steps[known], np.minimum(values[known], TOP), color=colour, label=label)
    if curve[-1].max_q == np.inf:
        top = min(values[-1], TOP)
        axes.plot(steps[-1], top, "X", color=colour, markersize=9)
        if values[-1] == np.inf:
            axes.text(steps[-1], top, "  ∞", va="center", fontsize=15, color=colour)


def main() -> None:
    """Train DQN, DQN without each of three parts, and Monte Carlo; draw the curves."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seed", type=seed_of, default="1", help="any text")
    parser.add_argument("--out", default="results", help="folder for the picture")
    parser.add_argument("--steps", type=int, default=ENV_STEPS, help="of each training")
    arguments = parser.parse_args()
    picture = writable(arguments.out) / "ablate.png"

    print(f"five trainings of {arguments.steps} steps, about a minute\n{HEADER}")
    curves = []
    try:
        for ablation in (DQN, *ABLATIONS):
            try:
                curve = curve_of(ablation, arguments.seed, arguments.steps)
            except jax.errors.JAXTypeError:
                if not ablation.monte_carlo:
                    raise
                print("\nno Monte Carlo: your mc_loss does not work under jax.jit")
                continue
            curves.append((ablation, curve))
            show("")
            print(shown(table_row(ablation, curve), sys.stdout), flush=True)
    except NotImplementedError as stub:
        sys.exit(f"not implemented yet: {stub}")
    save_picture(curves, picture)
    print(f"picture: {picture}\nthe handout asks three questions about it")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nstopped: nothing was saved")
        sys.exit(STOPPED)
