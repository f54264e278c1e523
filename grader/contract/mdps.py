"""Small random MDPs, their solution Q*, and transitions from walks through them.

The next state is a deterministic function of the pair (s, a). All MDPs have the same
number of states and actions, so that the same exported programs can be used for all.
They differ in how an episode ends, because the target of Q-learning has to treat each
kind of end correctly.
"""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

STATES, ACTIONS, GAMMA = 6, 2, 0.7
ENDS = 4  # number of pairs (s, a) of the maze that lead to a terminal state
TIME_LIMIT = 5  # steps of an episode, in every MDP


class Mdp(NamedTuple):
    """An MDP: reward, next state and end for each pair (s, a).

    Attributes:
        name: kind of the MDP, for messages.
        rewards: rewards, float64 [S,A].
        nexts: numbers of the next states, int [S,A].
        ends: whether the next state is terminal, bool [S,A].
    """

    name: str
    rewards: np.ndarray
    nexts: np.ndarray
    ends: np.ndarray


def chain(rng: np.random.Generator) -> Mdp:
    """Draw a chain of states: action 0 goes left, action 1 goes right.

    The rewards are random. In the first state, action 0 does not change the state. The
    episode ends with action 1 in the last state.
    """
    states = np.arange(STATES)
    nexts = np.clip(np.stack([states - 1, states + 1], axis=1), 0, STATES - 1)
    ends = np.zeros((STATES, ACTIONS), bool)
    ends[-1, 1] = True
    return Mdp("chain with one end", drawn_rewards(rng), nexts, ends)


def maze(rng: np.random.Generator) -> Mdp:
    """Draw an MDP with random next states.

    Exactly ENDS of the pairs (s, a) end the episode.
    """
    nexts = rng.integers(STATES, size=(STATES, ACTIONS))
    ends = rng.permutation(STATES * ACTIONS) < ENDS
    ends = ends.reshape(STATES, ACTIONS)
    return Mdp("maze with several ends", drawn_rewards(rng), nexts, ends)


def ring(rng: np.random.Generator) -> Mdp:
    """Draw a ring of states: action 0 goes left, action 1 goes right.

    No state is terminal, so an episode ends only at the time limit. No reward is
    positive.
    """
    states = np.arange(STATES)
    nexts = np.stack([states - 1, states + 1], axis=1) % STATES
    ends = np.zeros((STATES, ACTIONS), bool)
    return Mdp("ring cut by a time limit", -np.abs(drawn_rewards(rng)), nexts, ends)


KINDS: tuple[Callable[[np.random.Generator], Mdp], ...] = (chain, maze, ring)


def drawn_rewards(rng: np.random.Generator) -> np.ndarray:
    """Draw rewards [S,A] in [-1, 1], rounded to two decimals."""
    return np.round(rng.uniform(-1, 1, (STATES, ACTIONS)), 2)


def value_iteration(mdp: Mdp) -> np.ndarray:
    """Compute Q* [S,A] of an MDP for the discount GAMMA."""
    Q = np.zeros((STATES, ACTIONS))
    for _ in range(200):  # the remaining error is of the size of GAMMA^200, about 1e-31
        Q = mdp.rewards + GAMMA * ~mdp.ends * Q.max(axis=1)[mdp.nexts]
    return Q


def experience(mdp: Mdp, size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return `size` transitions of successive episodes, as arrays by field.

    The episodes begin with the pairs (s, a) in turn. After the last pair, the first one
    comes again. Later actions of an episode are random. An episode ends at a terminal
    state or after TIME_LIMIT steps. A time limit is a truncation: `terminated` is
    false, and `next_state` is the state reached.

    Args:
        mdp: the MDP to walk through.
        size: number of transitions.
        rng: generator for the random actions.

    Returns:
        One array for each field of `Transition`. States are one-hot, float32 [size,S];
        the other arrays have the shape [size].
    """
    begins = itertools.cycle(np.ndindex(STATES, ACTIONS))
    visited: list[tuple[int, ...]] = []
    while len(visited) < size:
        s, a = next(begins)
        for _ in range(TIME_LIMIT):
            visited.append((s, a))
            if mdp.ends[s, a]:
                break
            s, a = mdp.nexts[s, a], rng.integers(ACTIONS)
    state, action = np.transpose(visited[:size])
    one_hot = np.eye(STATES, dtype=np.float32)
    return {
        "state": one_hot[state],
        "action": action.astype(np.int32),
        "reward": mdp.rewards[state, action].astype(np.float32),
        "terminated": mdp.ends[state, action],
        "next_state": one_hot[mdp.nexts[state, action]],
    }
