"""Exercise 3: the network that maps a state to the values of all actions."""

import numpy as np
import pytest

from grader import cases, compare
from grader.outcomes import WAITS_FOR_ABOVE, Waiting, Wrong
from grader.session import Answers, Case

SIZES = [(3, 5), (4, 2)]  # CartPole's last
BATCH = 8
MAX_PARAMETERS = 2_000_000
LARGE = 2000.0  # at large parameters an output without bounds is far beyond


@pytest.mark.points(1.5)
def test_all_q_at_once(student, rng):
    """One state [D] in, one value for each of the A actions out."""
    for state_dim, num_actions in SIZES:
        theta = parameters(student, 1, state_dim, num_actions)
        states = rng.normal(size=(BATCH, state_dim)).astype(np.float32)
        forward(student, theta, states, num_actions)
        tries = [
            forward(student, drawn(theta, rng, scale), states, num_actions)
            for scale in (1.0, 0.5, 0.5)
        ]
        if all((q == q[0]).all() for q in tries):
            raise Wrong("Q is the same for every state, whatever the parameters")


@pytest.mark.points(1)
@pytest.mark.after("all_q_at_once")
def test_parameters(student):
    """Array fields are float parameters; another key gives other ones."""
    for state_dim, num_actions in SIZES:
        first = parameters(student, 1, state_dim, num_actions)
        again = parameters(student, 1, state_dim, num_actions)
        other = parameters(student, 2, state_dim, num_actions)
        if not first:
            raise Wrong("the network has no parameters: no field is an array")
        for leaf in first:
            if leaf.dtype.kind != "f":
                raise Wrong(
                    f"an array field of shape {leaf.shape} is of type {leaf.dtype}: "
                    "parameters are floats, constants belong in the code"
                )
        if not same(first, again):
            raise Wrong("the same key gave different parameters")
        if same(first, other):
            held = {float(x) for leaf in first for x in np.unique(leaf + 0)[:2]}
            if len(held) == 1:
                raise Wrong(
                    f"all parameters are {compare.number(held.pop())}, whatever the key"
                )
            raise Wrong("different keys gave the same parameters: is the key used?")


@pytest.mark.points(1)
@pytest.mark.after("all_q_at_once")
def test_nonlinear(student, rng):
    """The network is nonlinear, and every number of the state matters."""
    state_dim, num_actions = SIZES[0]
    fresh = parameters(student, 1, state_dim, num_actions)
    seen, bends = np.zeros(state_dim, bool), False
    for scale in (1.0, 1.0, 0.5, 0.5, 0.2):
        theta = drawn(fresh, rng, scale)

        def rise(states: np.ndarray, theta: list[np.ndarray] = theta) -> np.ndarray:
            both = [
                forward(student, theta, s, num_actions, check_finite=False)
                for s in (states, 0 * states)
            ]
            return both[0].astype(np.float64) - both[1]

        a, b = (3 * rng.normal(size=(BATCH, state_dim)) for _ in range(2))
        bend = rise(a + b) - rise(a) - rise(b)
        if not np.isfinite(bend).all():
            continue  # such parameters are beyond float32 for this network
        bends |= bool(np.abs(bend).max() > 1e-3 * np.abs(rise(a)).max())
        for i in range(state_dim):
            moved = a.copy()
            moved[:, i] += 2.0
            seen[i] |= bool((rise(moved) != rise(a)).any())
    if not bends:
        raise Wrong(
            "Q(s + s′) - Q(0) = Q(s) + Q(s′) - 2 Q(0) wherever it was tried: the "
            "network is a straight line"
        )
    if not seen.all():
        unseen = [f"state[{i}]" for i in np.flatnonzero(~seen)]
        raise Wrong(f"Q does not change with {' and '.join(unseen)}")


@pytest.mark.points(1)
@pytest.mark.after("all_q_at_once")
def test_any_values(student, rng):
    """The outputs can take any value, of any size and sign."""
    state_dim, num_actions = SIZES[0]
    fresh = parameters(student, 1, state_dim, num_actions)
    if not fresh:  # there is nothing to be drawn
        raise Waiting(WAITS_FOR_ABOVE)
    answers = []
    for scale in (0.3, 1.0, 3.0, 10.0, 100.0, 1000.0, 10_000.0):
        for _ in range(12):
            states = rng.normal(size=(BATCH, state_dim))
            theta = drawn(fresh, rng, scale)
            answers.append(
                forward(student, theta, states, num_actions, check_finite=False)
            )
    q_values = np.concatenate(answers).astype(np.float64)
    q_values = q_values[(np.abs(q_values) < 1e15).all(axis=1)]
    low, high = (extreme(q_values, axis=0, initial=0.0) for extreme in (np.min, np.max))
    if (low > -LARGE).any() or (high < LARGE).any():
        worst = int(np.minimum(-low, high).argmin())
        raise Wrong(
            f"at random parameters of every size, action {worst}'s values stayed "
            f"between {low[worst] + 0.0:.3g} and {high[worst]:.3g}: is there an "
            "activation on the last layer?"
        )
    directions = q_values / (np.linalg.norm(q_values, axis=1, keepdims=True) + 1e-9)
    if np.linalg.svd(directions, compute_uv=False)[-1] < 1e-3 * len(directions) ** 0.5:
        raise Wrong(
            "whatever the parameters, the values of the actions are bound to each "
            f"other, like {compare.numbers(q_values[0])}: each has to be free to be "
            "any number"
        )


@pytest.mark.points(0.5)
@pytest.mark.after("all_q_at_once")
def test_works_under_jit(student):
    """The network works under `jax.vmap` and `jax.jit`."""
    for state_dim, num_actions in SIZES:
        theta = parameters(student, 1, state_dim, num_actions)
        if not theta:
            raise Waiting(WAITS_FOR_ABOVE)
        student.export(forward_case(theta, np.zeros((BATCH, state_dim)), num_actions))


def parameters(
    student: Answers, seed: int, state_dim: int, num_actions: int
) -> list[np.ndarray]:
    """The parameters of a fresh network."""
    case = cases.fresh_network(seed, state_dim, num_actions)
    theta = student.answer(case).leaves("theta")
    if sum(leaf.size for leaf in theta) > MAX_PARAMETERS:
        raise Wrong(f"more than {MAX_PARAMETERS} parameters: CartPole needs a thousand")
    return theta


def forward_case(theta: list[np.ndarray], states: np.ndarray, num_actions: int) -> Case:
    """The question for the values of a batch of states."""
    spec = {"net": "own", "state_dim": states.shape[1], "num_actions": num_actions}
    return Case("forward", spec, {"theta": theta, "state": states.astype(np.float32)})


def forward(
    student: Answers,
    theta: list[np.ndarray],
    states: np.ndarray,
    num_actions: int,
    *,
    check_finite: bool = True,
) -> np.ndarray:
    """The values of a batch of states [B,A].

    Raises:
        Wrong: they are of another shape or not finite.
    """
    case = forward_case(theta, states, num_actions)
    q_values = student.answer(case).array("q_values")
    size, state_dim = states.shape
    what = f"q_network(key, {state_dim}, {num_actions}) on {size} states under vmap"
    compare.require(compare.shape_problem(what, q_values, (size, num_actions)))
    if check_finite:
        compare.require(compare.finite_problem(what, q_values))
    return q_values


def drawn(
    theta: list[np.ndarray], rng: np.random.Generator, scale: float
) -> list[np.ndarray]:
    """Parameters of these shapes at random: what the network can do shows at any."""
    return [(scale * rng.normal(size=x.shape)).astype(x.dtype) for x in theta]


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    """Whether two lists of parameters are equal."""
    return len(a) == len(b) and all(map(np.array_equal, a, b))
