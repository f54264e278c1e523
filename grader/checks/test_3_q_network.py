"""Exercise 3: the network that maps a state to the values of all actions."""

import numpy as np
import pytest

from grader.contract import cases, compare
from grader.contract.case import Answers, Case
from grader.contract.outcomes import WAITS_FOR_ABOVE, Waiting, Wrong

SIZES = [(3, 5), (4, 2)]  # pairs of D and A; the last pair is CartPole's
BATCH = 8
MAX_PARAMETERS = 2_000_000
LARGE = 2000.0  # with large parameters, unbounded outputs are far larger than this
HUGE = 1e15  # larger outputs are left out: float32 is too coarse to compare them
MAX_ALONE = 12  # the last 12 arrays are also drawn one at a time, the others being kept
SIGNS = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])  # of the values of two actions
# A right network has shown all signs after 1 to 50 of these tries. With the chances
# measured for the right networks of `tests/corpus/variants/` and for dueling networks
# of other forms, one run in 10^8 at most would miss a pair.
TRIES = 600


@pytest.mark.points(1)
def test_all_q_at_once(student, rng):
    """One state [D] in, one value for each of the A actions out.

    The values must be finite with the initial parameters and near them. With some
    parameters they must depend on the state.
    """
    for state_dim, num_actions in SIZES:
        theta = parameters(student, 1, state_dim, num_actions)
        states = rng.normal(size=(BATCH, state_dim)).astype(np.float32)
        # The values have to be finite with the initial parameters, and with parameters
        # near the initial ones, because training goes there first.
        forward(student, theta, states, num_actions)
        near = moved(theta, rng, 0.0, 0.01)
        q_values = forward(student, near, states, num_actions, check_finite=False)
        found = compare.finite_problem(
            "with each parameter moved by about 1 %, Q", q_values
        )
        compare.require(found)
        tries = [
            forward(student, other, states, num_actions, check_finite=False)
            for other in (theta, *other_parameters(theta, rng))
        ]
        finite = [q[np.isfinite(q).all(axis=1)] for q in tries]
        if all((q == q[:1]).all() for q in finite):
            raise Wrong("Q is the same for every state, whatever the parameters")


@pytest.mark.points(0.5)
@pytest.mark.after("all_q_at_once")
def test_example(student):
    """The example in the docstring: one state, and several under `jax.vmap`."""
    theta = parameters(student, 0, 4, 2)
    for shape, expected in (((4,), (2,)), ((5, 4), (5, 2))):
        case = forward_case(theta, np.ones(shape), 2)
        q_values = student.called(case).array("q_values")
        what = f"the network's values of states {shape}"
        compare.require(compare.shape_problem(what, q_values, expected))


@pytest.mark.points(1)
@pytest.mark.after("all_q_at_once")
def test_parameters(student):
    """Array fields are float parameters; another key gives other ones.

    The same key gives the same parameters.
    """
    for state_dim, num_actions in SIZES:
        first = parameters(student, 1, state_dim, num_actions)
        again = parameters(student, 1, state_dim, num_actions)
        other = parameters(student, 2, state_dim, num_actions)
        if not first:
            raise Wrong("the network has no parameters: no field is an array")
        for leaf in first:
            if leaf.dtype == np.uint32 and leaf.shape[-1:] == (2,):
                raise Wrong(
                    "an array field holds pairs of uint32 numbers, as a PRNG key does: "
                    "parameters are floats, and a key that made them need not be kept"
                )
            if leaf.dtype.kind != "f":
                raise Wrong(
                    f"an array field of shape {leaf.shape} is of type {leaf.dtype}: "
                    "parameters are floats, constants belong in the code"
                )
        if not compare.same_arrays(first, again):
            raise Wrong("the same key gave different parameters")
        if compare.same_arrays(first, other):
            held = {float(x) for leaf in first for x in np.unique(leaf + 0)[:2]}
            if len(held) == 1:
                raise Wrong(
                    f"all parameters are {compare.number(held.pop())}, whatever the key"
                )
            raise Wrong("different keys gave the same parameters: is the key used?")


@pytest.mark.points(1)
@pytest.mark.after("all_q_at_once")
def test_nonlinear(student, rng):
    """The network is nonlinear, and every number of the state matters.

    Each of these properties has to show with at least one of several lists of
    parameters.
    """
    state_dim, num_actions = SIZES[0]
    fresh = parameters(student, 1, state_dim, num_actions)
    seen, bends, finite = np.zeros(state_dim, bool), False, False
    for theta in (fresh, *other_parameters(fresh, rng), *other_parameters(fresh, rng)):

        def values(states: np.ndarray, theta: list[np.ndarray] = theta) -> np.ndarray:
            question = student, theta, states, num_actions
            return forward(*question, check_finite=False).astype(np.float64)

        # Random states, not 0, because a network may have no finite value at 0.
        a, b, c = (3 * rng.normal(size=(BATCH, state_dim)) for _ in range(3))
        rises = np.stack([values(a + c) - values(a), values(b + c) - values(b)])
        rises = rises[:, np.isfinite(rises).all(axis=(0, 2))]
        finite |= rises.size > 0
        bend = np.abs(rises[0] - rises[1]).max(initial=0.0)
        bends |= bool(bend > 1e-3 * np.abs(rises).max(initial=0.0))
        for i in range(state_dim):
            other = a.copy()
            other[:, i] += 2.0
            seen[i] |= bool((np.abs(values(other) - values(a)) > 0).any())
    if not finite:
        raise Wrong("Q was never a finite number at the states tried, of size about 3")
    if not bends:
        raise Wrong(
            "Q(s + u) - Q(s) = Q(s′ + u) - Q(s′) wherever it was tried: the network is "
            "a straight line"
        )
    if not seen.all():
        unseen = [f"state[{i}]" for i in np.flatnonzero(~seen)]
        raise Wrong(f"Q does not change with {' and '.join(unseen)}")


@pytest.mark.points(1)
@pytest.mark.after("all_q_at_once")
def test_any_values(student, rng):
    """The outputs can take any value, of any size and sign.

    The network is asked with parameters of many sizes. Every action must have a very
    low value in some answer, and a very high value in some answer. No linear equation
    between the actions' values may hold in all answers. The values of two actions must
    be very low or very high together, too, in any combination.
    """
    state_dim, num_actions = SIZES[0]
    fresh = parameters(student, 1, state_dim, num_actions)
    if not fresh:  # the network has no parameters to draw
        raise Waiting(WAITS_FOR_ABOVE)
    tries = [
        drawn(fresh, rng, scale, share)
        for scale in (0.3, 1.0, 3.0, 10.0, 100.0, 1000.0, 10_000.0)
        for share in (1.0,) * 8 + (0.5,) * 8
    ]
    tries += [
        with_one_drawn(fresh, rng, i, scale)
        for i in range(max(0, len(fresh) - MAX_ALONE), len(fresh))
        for scale in (10.0, 10_000.0)
        for _ in range(4)
    ]
    answers = []
    for theta in tries:
        states = rng.normal(size=(BATCH, state_dim))
        q_values = forward(student, theta, states, num_actions, check_finite=False)
        answers.append(q_values)
    q_values = np.concatenate(answers).astype(np.float64)
    q_values = q_values[(np.abs(q_values) < HUGE).all(axis=1)]
    low, high = (extreme(q_values, axis=0, initial=0.0) for extreme in (np.min, np.max))
    if (low > -LARGE).any() or (high < LARGE).any():
        worst = int(np.minimum(-low, high).argmin())
        least, most = low[worst] + 0.0, high[worst]
        bounds = [f"below {compare.number(least)}"] if least > -LARGE else []
        bounds += [f"above {compare.number(most)}"] if most < LARGE else []
        raise Wrong(
            f"action {worst} has no value {' or '.join(bounds)} in {len(q_values)} "
            "inputs, at random parameters of every size"
        )
    directions = q_values / (np.linalg.norm(q_values, axis=1, keepdims=True) + 1e-9)
    if np.linalg.svd(directions, compute_uv=False)[-1] < 1e-3 * len(directions) ** 0.5:
        raise Wrong(
            "whatever the parameters, the values of the actions are bound to each "
            f"other, like {compare.numbers(q_values[0])}: each has to be free to be "
            "any number"
        )
    require_any_signs(student, rng)


@pytest.mark.points(0.5)
@pytest.mark.after("all_q_at_once")
def test_works_under_jit(student):
    """The network works under `jax.vmap` and `jax.jit`."""
    for state_dim, num_actions in SIZES:
        theta = parameters(student, 1, state_dim, num_actions)
        if not theta:
            raise Waiting(WAITS_FOR_ABOVE)
        student.export(forward_case(theta, np.zeros((BATCH, state_dim)), num_actions))


def require_any_signs(student: Answers, rng: np.random.Generator) -> None:
    """Check that the large values of two actions can have any pair of signs.

    Values of which each can be any number may still be bound together. In a dueling
    network with a ReLU on V, the mean over the actions is never negative.

    Args:
        student: the hand-in.
        rng: generator of parameters and states.

    Raises:
        Wrong: for some pair of signs, no answer has values larger than `LARGE`.
    """
    state_dim, num_actions = SIZES[1]
    fresh = parameters(student, 1, state_dim, num_actions)
    if not fresh:
        raise Waiting(WAITS_FOR_ABOVE)
    largest, count = np.zeros(len(SIGNS)), 0
    for i in range(TRIES):
        theta = of_any_size(fresh, rng, i)
        states = rng.normal(size=(BATCH, state_dim))
        q_values = forward(student, theta, states, num_actions, check_finite=False)
        q_values = q_values[(np.abs(q_values) < HUGE).all(axis=1)].astype(np.float64)
        # How large both values are if they have these signs; negative if not.
        sizes = (SIGNS[:, None] * q_values).min(axis=-1)
        largest = np.maximum(largest, sizes.max(axis=1, initial=0.0))
        count += len(q_values)
        if (largest >= LARGE).all():
            return
    worst = int(largest.argmin())
    low, high = (compare.number(x + 0.0) for x in (-largest[worst], largest[worst]))
    first, second = (f"below {low}" if s < 0 else f"above {high}" for s in SIGNS[worst])
    raise Wrong(
        f"of two actions, the first never has a value {first} while the second has one "
        f"{second}, in {count} inputs, at random parameters of every size\n"
        "any pair of values has to be possible: is there an activation on an output, "
        "or on one of two branches?"
    )


def parameters(
    student: Answers, seed: int, state_dim: int, num_actions: int
) -> list[np.ndarray]:
    """Return the parameters of a new network that the hand-in makes.

    Args:
        student: the hand-in.
        seed: the second number of the key for `q_network`; the first one is 0.
        state_dim: number D of numbers in a state.
        num_actions: number A of actions.

    Raises:
        Wrong: the arrays have more than `MAX_PARAMETERS` numbers together.
    """
    case = cases.fresh_network(seed, state_dim, num_actions)
    theta = student.answer(case).leaves("theta")
    if sum(leaf.size for leaf in theta) > MAX_PARAMETERS:
        raise Wrong(f"more than {MAX_PARAMETERS} parameters: CartPole needs a thousand")
    return theta


def forward_case(theta: list[np.ndarray], states: np.ndarray, num_actions: int) -> Case:
    """Return the case that asks the network for the values of one state or of many.

    Args:
        theta: the network's parameters, a list of arrays.
        states: one state [D] or a batch of states [B,D].
        num_actions: number A of actions.
    """
    spec = {"net": "own", "state_dim": states.shape[-1], "num_actions": num_actions}
    return Case("forward", spec, {"theta": theta, "state": states.astype(np.float32)})


def forward(
    student: Answers,
    theta: list[np.ndarray],
    states: np.ndarray,
    num_actions: int,
    *,
    check_finite: bool = True,
) -> np.ndarray:
    """Return the network's values [B,A] for a batch of states.

    Args:
        student: the hand-in.
        theta: the network's parameters, a list of arrays.
        states: the states [B,D].
        num_actions: number A of actions.
        check_finite: whether the values have to be finite.

    Raises:
        Wrong: the shape is not [B,A]; or `check_finite` is True and a value is not
            finite.
    """
    case = forward_case(theta, states, num_actions)
    q_values = student.answer(case).array("q_values")
    size, state_dim = states.shape
    what = f"q_network(key, {state_dim}, {num_actions}) on {size} states under vmap"
    compare.require(compare.shape_problem(what, q_values, (size, num_actions)))
    if check_finite:
        compare.require(compare.finite_problem(what, q_values))
    return q_values


def moved(
    theta: list[np.ndarray], rng: np.random.Generator, step: float, share: float
) -> list[np.ndarray]:
    """Return the parameters, with a normal random number added to each.

    The number added to a parameter x has the standard deviation step + share |x|. An
    array of another type than float is no parameter and is kept.

    Args:
        theta: the parameters, a list of arrays.
        rng: generator of the random numbers.
        step: the constant term of the standard deviation.
        share: the factor of |x| in the standard deviation.
    """
    return [
        (x + (step + share * np.abs(x)) * rng.normal(size=x.shape)).astype(x.dtype)
        if x.dtype.kind == "f"
        else x
        for x in theta
    ]


def drawn(
    theta: list[np.ndarray],
    rng: np.random.Generator,
    scale: float,
    share: float = 1.0,
) -> list[np.ndarray]:
    """Return the parameters with some arrays replaced by normal random numbers.

    Some arrays can be kept, because with random numbers everywhere a network may have
    no finite value, for example if it takes the root of a parameter. An array of
    another type than float is no parameter and is always kept.

    Args:
        theta: the parameters, a list of arrays.
        rng: generator of the random numbers.
        scale: the standard deviation of the random numbers.
        share: the probability with which an array is replaced.
    """
    return [
        (scale * rng.normal(size=x.shape)).astype(x.dtype)
        if x.dtype.kind == "f" and rng.random() < share
        else x
        for x in theta
    ]


def with_one_drawn(
    theta: list[np.ndarray], rng: np.random.Generator, index: int, scale: float
) -> list[np.ndarray]:
    """Return the parameters with one array replaced by normal random numbers.

    Args:
        theta: the parameters, a list of arrays.
        rng: generator of the random numbers.
        index: the position in `theta` of the array to replace.
        scale: the standard deviation of the random numbers.
    """
    (one,) = drawn(theta[index : index + 1], rng, scale)
    return [*theta[:index], one, *theta[index + 1 :]]


def of_any_size(
    theta: list[np.ndarray], rng: np.random.Generator, number: int
) -> list[np.ndarray]:
    """Return the parameters with arrays replaced by random numbers of a random size.

    All arrays are replaced, about half of them, or a single one, in turn. In a network
    of two branches, a single array can make one branch much larger than the other.

    Args:
        theta: the parameters, a list of arrays.
        rng: generator of the random numbers.
        number: number of the try, from 0; it decides how many arrays are replaced.
    """
    if number % 3 == 2:
        index = int(rng.integers(max(0, len(theta) - MAX_ALONE), len(theta)))
        return with_one_drawn(theta, rng, index, 10 ** rng.uniform(4.0, 6.0))
    scale = 10 ** rng.uniform(-0.5, 6.0)
    return drawn(theta, rng, scale, 1.0 if number % 3 == 0 else 0.5)


def other_parameters(
    theta: list[np.ndarray], rng: np.random.Generator
) -> list[list[np.ndarray]]:
    """Return five lists of parameters: two near `theta`, three drawn at random.

    With some of the lists, the network may return values that are infinite or NaN.
    """
    near = [moved(theta, rng, step, 0.3) for step in (0.01, 0.1)]
    far = [drawn(theta, rng, scale) for scale in (1.0, 0.5, 0.2)]
    return near + far
