"""Where no known mistake fits: what was measured about a wrong part, in a sentence.

Nothing here is a guess. Each sentence says what happened when the part was asked again
with something changed, or what its loss does, read off the gradient.
"""

from collections.abc import Callable

import numpy as np

from grader.contract import cases, compare, fixed_cases
from grader.contract.case import Answers, Case, Student
from grader.contract.compare import number, numbers
from grader.contract.outcomes import GraderError, NotImplementedYet, Raised, Wrong
from grader.diagnosis.target_inference import ReadOff, read_off

FACTORS = {-1.0: "minus", 0.5: "half of", 2.0: "twice"}
# What an argument is called in a sentence.
CALLED = {
    **{"gamma": "γ", "alpha": "α", "reward": "the rewards", "rewards": "the rewards"},
    **{"theta_T": "theta_T", "theta_Q": "theta_Q", "next_state": "the next states"},
    **{"next_states": "the next states", "state": "the states"},
    **{"action": "the actions", "actions": "the actions"},
}


def measured(part: str, student: Student, reference: Answers) -> str | None:
    """Return a fact about a wrong part; None where its checks' messages say all."""
    if part not in FACTS:
        return None
    try:
        return FACTS[part](student, reference)
    except (NotImplementedYet, GraderError):
        raise
    # It fails, or what comes back is of no use: the checks' messages say so.
    except (Raised, Wrong, ValueError, IndexError, TypeError):
        return None


# ---------------------------------------------------------------- asking again


def without_effect(
    student: Student, case: Case, output: str, names: tuple[str, ...]
) -> list[str]:
    """Return which of these arguments do not change the output."""
    before = student.answer(case).array(output)
    idle = []
    for name in names:
        after = student.answer(with_other(case, name)).array(output)
        if np.array_equal(before, after, equal_nan=True):
            idle.append(CALLED.get(name, f"`{name}`"))
    return idle


def with_other(case: Case, name: str) -> Case:
    """Return the same question with another value for an argument."""
    if name in case.spec:  # gamma or alpha
        return case.replace(spec={name: 0.75 * case.spec[name]})
    return case.replace(args={name: moved(case.args[name])})


def moved(value: np.ndarray | list[np.ndarray]) -> np.ndarray | list[np.ndarray]:
    """Return another value of the same kind."""
    if isinstance(value, list):
        return [leaf[::-1] + np.float32(0.5) for leaf in value]
    if value.dtype == bool:
        return ~value
    if value.dtype.kind == "i":
        return np.roll(value, 1) if len(set(value.tolist())) > 1 else 1 - value
    return value + 1


def no_effect(what: str, idle: list[str]) -> str:
    """Return the sentence for arguments without effect."""
    return f"Measured: {what} does not depend on {' and '.join(idle)} at all."


def factor_of(obtained: np.ndarray, expected: np.ndarray) -> float:
    """Return the one number by which the expected is multiplied; nan for none."""
    size = float((expected**2).sum())
    factor = float((obtained * expected).sum()) / size if size else float("nan")
    close = np.abs(obtained - factor * expected).max() <= 1e-3 * np.abs(expected).max()
    return factor if close else float("nan")


def in_words(factor: float) -> str:
    """Return the words for a factor that means something, or ""."""
    fits = (
        words for known, words in FACTORS.items() if np.isclose(factor, known, 1e-3)
    )
    return next(fits, "")


def times(factor: float) -> str:
    """Return any factor in words, or "" for 1 and for none."""
    if not np.isfinite(factor) or np.isclose(factor, 1, 1e-3) or factor == 0:
        return ""
    return in_words(factor) or f"{factor:.4g} times"


# ---------------------------------------------------------------- the parts


def table(student: Student, reference: Answers) -> str | None:
    """Measure `update_Q_TD0`: what moves, how far, and what has no effect."""
    case = fixed_cases.TD0_EPISODE.fixed[0]
    args = case.args
    move = student.answer(case).array("Q") - args["Q"]
    right = reference.answer(case).array("Q") - args["Q"]
    moves, expected = (np.abs(x) > 1e-6 for x in (move, right))
    if not moves.any():
        return "Measured: the Q that comes back is the Q that went in."
    if words := times(factor_of(move, right)):
        return f"Measured: the move of every cell is exactly {words} the expected one."
    names = ("terminateds", "gamma", "rewards", "alpha", "next_states")
    if idle := without_effect(student, case, "Q", names):
        return no_effect("your table", idle)
    if stray := np.argwhere(moves & ~expected).tolist():
        visited = list(
            zip(args["states"].tolist(), args["actions"].tolist(), strict=True)
        )
        return (
            f"Measured: the cell {stray[0]} has moved, though the episode visits only "
            f"{[list(cell) for cell in visited]}."
        )
    if still := np.argwhere(expected & ~moves).tolist():
        return f"Measured: the visited cell {still[0]} has not moved."
    etas = -move[args["states"], args["actions"]] / case.spec["alpha"]
    targets = args["Q"][args["states"], args["actions"]] - etas
    return (
        f"Measured: at rewards {numbers(args['rewards'])}, your cells move toward "
        f"{numbers(targets)}, one for each step of the episode."
    )


def returns(student: Student, reference: Answers) -> str | None:
    """Measure `discounted_returns`: how much each reward counts in each return."""
    case = fixed_cases.RETURNS_LONG.fixed[0]
    if idle := without_effect(student, case, "returns", ("gamma", "reward")):
        return no_effect("your returns", idle)
    rewards = case.args["reward"]
    zero = student.answer(with_rewards(case, 0 * rewards)).array("returns")
    weights = np.stack(
        [
            student.answer(with_rewards(case, unit)).array("returns") - zero
            for unit in np.eye(len(rewards), dtype=np.float32)
        ],
        axis=1,
    )
    i = min(1, len(rewards) - 1)
    gamma = number(case.spec["gamma"])
    return (
        f"Measured: with γ = {gamma} the rewards r_0, r_1, … count in your G_{i} with "
        f"the weights {numbers(weights[i])}."
    )


def with_rewards(case: Case, rewards: np.ndarray) -> Case:
    """Return the same episode with other rewards."""
    return case.replace(args={"reward": rewards})


def mc_loss(student: Student, reference: Answers) -> str | None:
    """Measure `mc_loss`: what its gradient tells, and what has no effect."""
    case = fixed_cases.MC_EPISODE.fixed[0]
    case = case.replace(spec={"stand_in": True})
    seen = read_off(cases.on_table(case), student)
    names = ("reward", "action", "state")
    return of_square(student, case, seen, names)


def td_loss(student: Student, reference: Answers) -> str | None:
    """Measure `td_loss`: what its gradient tells, and what has no effect."""
    case = fixed_cases.TD_MIXED.fixed[0]
    seen = read_off(cases.on_table(case), student)
    names = ("terminated", "gamma", "reward", "next_state", "theta_T", "action")
    return of_square(student, case, seen, names)


def of_square(
    student: Student, case: Case, seen: ReadOff | None, names: tuple[str, ...]
) -> str | None:
    """Say what can be told of a loss that should be a mean of squares."""
    if idle := without_effect(student, case, "loss", names):
        return no_effect("your loss", idle)
    if seen is None:
        return None
    if seen.flat:
        return (
            "Measured: the gradient of your loss with respect to theta_Q is exactly "
            "zero: the prediction is cut off from its parameters."
        )
    if seen.next_states:
        return (
            "Measured: your loss pulls at the values of the next states under theta_Q: "
            "only theta_T should decide what they are worth."
        )
    if seen.other_actions:
        return (
            "Measured: your loss pulls at the values of actions that were not taken; "
            "only the taken one's should move."
        )
    size = len(case.args["action"])
    if pairs_fit(student, case):
        return (
            f"Measured: your loss is the mean over all {size} × {size} pairs of a "
            "prediction and a target: what are the shapes of the two that you subtract?"
        )
    if np.isclose(seen.factor, size, rtol=1e-3):
        return (
            f"Measured: for {size} transitions your loss is exactly {size} times what "
            "its own predictions and targets make: a sum, where the mean is asked."
        )
    if words := in_words(seen.factor):
        return (
            f"Measured: your loss is exactly {words} the mean of squares that its "
            "own predictions and targets make."
        )
    return None


def pairs_fit(student: Student, case: Case) -> bool:
    """Tell whether the loss is the mean over all pairs of a prediction and a target."""
    size = len(case.args["action"])
    loss = float(student.answer(case).array("loss"))
    predicted = cases.taken_values(case.args)
    targets = []
    for i in range(size):
        args = {
            name: value if isinstance(value, list) else value[i : i + 1]
            for name, value in case.args.items()
        }
        one = read_off(cases.on_table(case.replace(args=args)), student)
        if one is None or one.targets is None:
            return False
        targets.append(one.targets[0])
    pairs = np.mean((predicted[:, None] - np.array(targets)) ** 2)
    return bool(np.isclose(loss, pairs, rtol=1e-3))


def td_update(student: Student, reference: Answers) -> str | None:
    """Measure `td_update`: what a step of plain gradient descent does."""
    case = fixed_cases.UPDATE.fixed[0]
    case = case.replace(spec={"stand_in": True})
    theta = case.args["theta_Q"]
    runner = student.runner
    state = runner.trusted(do="optimizer_init", optimizer="adam", theta=theta)
    answer = student.answer(cases.update(case, "adam", state["opt_state"]))
    moves = [a - b for a, b in zip(answer.leaves("theta_Q"), theta, strict=True)]
    if not any(move.any() for move in moves):
        return "Measured: the theta_Q that comes back is the theta_Q that went in."
    after = answer.leaves("opt_state")
    if all(map(np.array_equal, after, state["opt_state"])):
        return "Measured: the opt_state that comes back is the one that went in."
    step, right = steps_of_descent(case, student, reference)
    if words := times(factor_of(step, right)):
        return (
            f"Measured: your step of gradient descent is exactly {words} the right one."
        )
    return None


def steps_of_descent(
    case: Case, student: Student, reference: Answers
) -> tuple[np.ndarray, np.ndarray]:
    """Return the hand-in's step of plain descent on the stand-in, and the right one."""
    theta, runner = case.args["theta_Q"], student.runner
    state = runner.trusted(do="optimizer_init", optimizer="sgd", theta=theta)
    question = cases.update(case, "sgd", state["opt_state"])
    right = runner.trusted(
        do="optimizer_step",
        optimizer="sgd",
        theta=theta,
        opt_state=state["opt_state"],
        grads=reference.answer(case).leaves("grads"),
    )
    ends = student.answer(question).leaves("theta_Q"), right["theta_Q"]
    own, expected = (
        np.concatenate([(a - b).ravel() for a, b in zip(end, theta, strict=True)])
        for end in ends
    )
    return own, expected


def sync(student: Student, reference: Answers) -> str | None:
    """Measure `sync_target`: at which steps it renews."""
    rng = np.random.default_rng(9)
    theta_Q, theta_T = cases.probe(rng, 4, 2), cases.probe(rng, 4, 2)
    told: dict[str, list[int]] = {"theta_Q": [], "theta_T": [], "neither": []}
    for step in range(9):
        answer = student.answer(cases.sync(theta_Q, theta_T, step, 4))
        obtained = answer.leaves("theta_T")
        for name, tree in (("theta_Q", theta_Q), ("theta_T", theta_T)):
            if not compare.leaves_problem("", obtained, tree, exact=True):
                told[name].append(step)
                break
        else:
            told["neither"].append(step)
    words = [f"{name} at the steps {steps}" for name, steps in told.items() if steps]
    return f"Measured: asked in order with period 4, it returned {', '.join(words)}."


FACTS: dict[str, Callable[[Student, Answers], str | None]] = {
    "update_Q_TD0": table,
    "discounted_returns": returns,
    "mc_loss": mc_loss,
    "td_loss": td_loss,
    "td_update": td_update,
    "sync_target": sync,
}
