"""Measure what cheats reach in a learning loop that trusts the hand-in.

The loop and the agent are those of `starter/`. `python -m
tests.corpus.cheats.undefended [id …]` prints for each cheat what it reaches in its
task. A cheat that fails even in this loop does not test the grader's defences.
"""

import dataclasses
import importlib.util
import sys
import types
from typing import Any

import numpy as np

from grader.contract import learning, mdps
from grader.contract.exercises import ROOT

STARTER = ROOT / "starter"
ENV_STEPS = 8_192  # the longest training


def reached(source: str, task: str = "turned", seed: int = 1) -> float:
    """Train a hand-in in this process; return what it reaches in a task.

    Args:
        source: text of `dqn.py`.
        task: "turned" (CartPole), "cartpole" (not turned), "maze" or "tables".
        seed: seed of the task, the agent and the environments.

    Returns:
        A number up to 500. CartPole: the mean return of 115 episodes. Maze: 0 for a
        random walk, 500 for the shortest way. Tables: 500 for Q = Q*, 0 if the largest
        error equals the largest |Q*|.
    """
    if str(STARTER) not in sys.path:
        sys.path.insert(0, str(STARTER))
    module = types.ModuleType("dqn")
    sys.modules["dqn"] = module
    exec(compile(source, "dqn.py", "exec"), vars(module))
    if task == "tables":
        return 500.0 * (1.0 - table_error(module, np.random.default_rng(seed)))
    return returned(task, seed)


def returned(name: str, seed: int) -> float:
    """Train the supplied agent on a task of `train.py`; return what it reaches.

    Args:
        name: "turned", "cartpole" or "maze".
        seed: seed of the task, the agent and the environments.

    Returns:
        A number up to 500, as `reached` returns it.
    """
    import tasks
    import train

    spec = importlib.util.spec_from_file_location("agent", STARTER / "agent.py")
    assert spec
    assert spec.loader
    agent_module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(agent_module)
    task = train.task_named(name, seed)
    env_steps = min(ENV_STEPS, task.settings.env_steps)
    settings = dataclasses.replace(task.settings, env_steps=env_steps)
    agent = agent_module.DQNAgent(seed, 4, 2, settings)
    train.train(agent, task.make_envs, seed, settings)
    mean_return = float(train.evaluate(agent, task.make_envs(115), seed + 10**6).mean())
    if name != "maze":
        return mean_return
    maze = tasks.draw_maze(np.random.default_rng(seed))  # that of the task
    share = (mean_return + maze.walk) / (maze.walk - maze.shortest)
    return 500.0 * float(np.clip(share, 0.0, 1.0))


def table_error(dqn: Any, rng: np.random.Generator) -> float:
    """Learn the table worlds; return the largest max |Q - Q*| / max |Q*| of them.

    Args:
        dqn: the hand-in's module.
        rng: the random numbers for the worlds, the transitions and the buffer.
    """
    return max(error_in(kind(rng), dqn, rng) for kind in mdps.KINDS)


def error_in(mdp: mdps.Mdp, dqn: Any, rng: np.random.Generator) -> float:
    """Learn one table world with a table as the network; return its error.

    The error is max |Q - Q*| / max |Q*|.

    Args:
        mdp: the table world.
        dqn: the hand-in's module.
        rng: the random numbers for the transitions and the buffer.
    """
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import optax

    key = jax.random.key(0)
    net = eqx.nn.Linear(mdps.STATES, mdps.ACTIONS, use_bias=False, key=key)
    theta_Q, model = eqx.partition(net, eqx.is_array)
    theta_Q = jax.tree.map(jnp.zeros_like, theta_Q)
    theta_T, optimizer = theta_Q, optax.adam(3e-2)
    opt_state = optimizer.init(theta_Q)
    capacity, period = learning.TABLE_CAPACITY, learning.TABLE_PERIOD
    buffer = dqn.ReplayBuffer(capacity)
    rows = mdps.experience(mdp, capacity, rng)
    for i in range(capacity):
        buffer.add(*(rows[name][i] for name in dqn.Transition._fields))

    @eqx.filter_jit
    def update(theta_Q: Any, theta_T: Any, opt_state: Any, batch: Any) -> Any:
        return dqn.td_update(
            theta_Q, theta_T, model, batch, optimizer, opt_state, mdps.GAMMA
        )

    for step in range(1, learning.TABLE_SYNCS * period + 1):
        drawn = buffer.sample(learning.TABLE_BATCH, rng)
        batch = dqn.Transition(*map(jnp.asarray, drawn))
        theta_Q, opt_state, _ = update(theta_Q, theta_T, opt_state, batch)
        theta_T = dqn.sync_target(theta_Q, theta_T, step, period)
    Q, Q_star = np.asarray(theta_Q.weight).T, mdps.value_iteration(mdp)
    return float(np.abs(Q - Q_star).max() / np.abs(Q_star).max())


def main() -> None:
    """Print what each cheat reaches: the ids on the command line, or all cheats."""
    from tests.corpus.cheats import CHEATS

    for cheat in CHEATS:
        if not sys.argv[1:] or cheat.id in sys.argv[1:]:
            try:
                told = f"{reached(cheat.source, cheat.task):6.1f}"
            except Exception as error:
                told = f"{type(error).__name__}: {error}"
            print(f"{told}  noted {cheat.undefended}  {cheat.id}", flush=True)


if __name__ == "__main__":
    main()
