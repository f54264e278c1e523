"""Small MDPs with known Q*: drawn anew in each run, solved, and walked through.

Each move is certain, and all have the same sizes, so that one program serves them all.
What differs is how an episode ends, which is what a target has to get right.
"""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

STATES, ACTIONS, GAMMA = 6, 2, 0.7
ENDS = 4  # pairs (s, a) of the maze after which the episode is over
TIME_LIMIT = 5  # steps, in each of them


class Mdp(NamedTuple):
    """What follows on each pair (s, a).

    Attributes:
        name: of its kind, for messages.
        rewards: float64 [S,A].
        nexts: int [S,A], the next states.
        ends: bool [S,A], whether the next state is terminal.
    """

    name: str
    rewards: np.ndarray
    nexts: np.ndarray
    ends: np.ndarray


def chain(rng: np.random.Generator) -> Mdp:
    """Draw a line to walk along; right from the last state ends the episode."""
    states = np.arange(STATES)
    nexts = np.clip(np.stack([states - 1, states + 1], axis=1), 0, STATES - 1)
    ends = np.zeros((STATES, ACTIONS), bool)
    ends[-1, 1] = True
    return Mdp("chain with one end", drawn_rewards(rng), nexts, ends)


def maze(rng: np.random.Generator) -> Mdp:
    """Draw a maze, from anywhere to anywhere, with several ends."""
    nexts = rng.integers(STATES, size=(STATES, ACTIONS))
    ends = rng.permutation(STATES * ACTIONS) < ENDS
    ends = ends.reshape(STATES, ACTIONS)
    return Mdp("maze with several ends", drawn_rewards(rng), nexts, ends)


def ring(rng: np.random.Generator) -> Mdp:
    """Draw a ring to walk round, at a cost: only the time limit cuts an episode."""
    states = np.arange(STATES)
    nexts = np.stack([states - 1, states + 1], axis=1) % STATES
    ends = np.zeros((STATES, ACTIONS), bool)
    return Mdp("ring cut by a time limit", -np.abs(drawn_rewards(rng)), nexts, ends)


KINDS: tuple[Callable[[np.random.Generator], Mdp], ...] = (chain, maze, ring)


def drawn_rewards(rng: np.random.Generator) -> np.ndarray:
    """Rewards [S,A] of both signs."""
    return np.round(rng.uniform(-1, 1, (STATES, ACTIONS)), 2)


def value_iteration(mdp: Mdp) -> np.ndarray:
    """Q* [S,A]."""
    Q = np.zeros((STATES, ACTIONS))
    for _ in range(200):  # GAMMA^200 is nothing
        Q = mdp.rewards + GAMMA * ~mdp.ends * Q.max(axis=1)[mdp.nexts]
    return Q


def experience(mdp: Mdp, size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Transitions of one episode after the other, by field; states are one-hot [S].

    Each pair (s, a) has its turn to begin an episode; then actions are random, until
    a terminal state or the time limit. The limit is a truncation: `terminated` is
    false, and the next state is where the last step led.
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
