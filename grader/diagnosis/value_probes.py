"""Probes of the parts whose values the contract fixes: asked their fixed cases."""

from functools import partial

import numpy as np

from grader.contract import cases, fixed_cases
from grader.contract.case import Case, Student
from grader.diagnosis.entries import Entries, changes, equal, output, traceable

# step and period; the first ones are the checks' own.
STEPS = [(0, 3), (1, 3), (2, 3), (3, 3), (4, 3), (6, 3), (9, 3), (3, 6), (6, 6), (7, 1)]
STEPS += [(0, 1), (1, 1000), (999, 1000), (1000, 1000), (1000, 250), (998, 250)]
STEPS += [(12, 3), (1200, 300)]


def plain(fixed: tuple[Case, ...], student: Student) -> Entries:
    """Probe a plain function on its fixed cases."""
    for i, case in enumerate(fixed):
        yield f"result {i}", partial(output, student, case, "result")


def table(student: Student) -> Entries:
    """Probe `update_Q_TD0` on its fixed cases."""
    fixed = [
        *(fixed_cases.TD0_CONTINUES.fixed + fixed_cases.TD0_ENDS.fixed),
        *(fixed_cases.TD0_CUT.fixed + fixed_cases.TD0_EPISODE.fixed),
        *fixed_cases.TD0_REVISITS.fixed,
    ]
    for i, case in enumerate(fixed):
        yield f"Q {i}", partial(output, student, case, "Q")
    yield from with_flags(student, fixed_cases.TD0_EPISODE.fixed[0], "terminateds", "Q")
    yield from changes(student, fixed_cases.TD0_EPISODE.fixed[0])
    yield from changes(student, fixed_cases.TD0_EPISODE.fixed[0], "jax")


def flags(student: Student) -> Entries:
    """Probe `episode_terminateds` for some lengths."""
    for steps in (1, 4):
        case = Case("episode_terminateds", {"num_steps": steps}, {})
        yield f"flags {steps}", partial(output, student, case, "terminateds")


def returns(student: Student) -> Entries:
    """Probe `discounted_returns` on its fixed cases."""
    fixed = fixed_cases.RETURNS_SHORT.fixed + fixed_cases.RETURNS_LONG.fixed
    for i, case in enumerate(fixed):
        yield f"G {i}", partial(output, student, case, "returns")
    yield from changes(student, fixed_cases.RETURNS_LONG.fixed[0])
    yield from changes(student, fixed_cases.RETURNS_LONG.fixed[0], "jax")


def mc_loss(student: Student) -> Entries:
    """Probe `mc_loss` on its fixed cases, with a stand-in for the returns."""
    for i, case in enumerate(
        fixed_cases.MC_ONE_STEP.fixed + fixed_cases.MC_EPISODE.fixed
    ):
        standing_in = case.replace(spec={"stand_in": True})
        yield f"loss {i}", partial(loss_and_slope, student, standing_in)


def td_loss(student: Student) -> Entries:
    """Probe `td_loss` on its fixed cases."""
    fixed = [
        *(fixed_cases.TD_CONTINUES.fixed + fixed_cases.TD_ENDS.fixed),
        *(fixed_cases.TD_BATCH_CONTINUES.fixed + fixed_cases.TD_MIXED.fixed),
        *fixed_cases.TD_LEARNING.fixed,
    ]
    for i, case in enumerate(fixed):
        yield f"loss {i}", partial(loss_and_slope, student, case)
    yield from with_flags(student, fixed_cases.TD_MIXED.fixed[0], "terminated", "loss")
    yield "jit", lambda: traceable(student, fixed_cases.TD_MIXED.fixed[0])
    yield from changes(student, fixed_cases.TD_MIXED.fixed[0])


def loss_and_slope(student: Student, case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss and its gradient in the output bias, which all mistakes move."""
    answer = student.answer(case)
    return answer.array("loss"), answer.leaves("grads")[-1].ravel()


def with_flags(student: Student, case: Case, flag: str, name: str) -> Entries:
    """Probe with 0 and 1 for false and true."""
    for kind in ("uint8", "float32"):
        other = case.replace(args={flag: case.args[flag].astype(kind)})
        yield kind, partial(output, student, other, name)


def td_update(student: Student) -> Entries:
    """Probe `td_update` on a stand-in for the loss, from fresh and used states."""
    runner = student.runner
    cases_of = {"sgd": fixed_cases.UPDATE.fixed[-1]}
    for name in ("sgd", "adam", "clipped_adamw"):
        case = cases_of.get(name, fixed_cases.UPDATE.fixed[0])
        case = case.replace(spec={"stand_in": True})
        theta = case.args["theta_Q"]
        fresh = runner.trusted(do="optimizer_init", optimizer=name, theta=theta)
        used = runner.trusted(
            do="optimizer_step",
            optimizer=name,
            theta=theta,
            opt_state=fresh["opt_state"],
            grads=[np.cos(leaf) for leaf in theta],
        )
        for age, state in (("fresh", fresh), ("used", used)):
            question = cases.update(case, name, state["opt_state"])
            yield f"{name} {age}", partial(step_taken, student, question)
        yield f"{name} jit", partial(traceable, student, question)
    yield from changes(student, question, "jax")


def step_taken(student: Student, case: Case) -> tuple[np.ndarray, ...]:
    """Return the loss, and a few numbers of every array of theta_Q and opt_state."""
    answer = student.answer(case)
    leaves = [*answer.leaves("theta_Q"), *answer.leaves("opt_state")]
    return (answer.array("loss"), *(leaf.ravel()[:3] for leaf in leaves))


def sync(student: Student) -> Entries:
    """Probe `sync_target` at many steps: some numbers of what it returns."""
    # One that counts its calls has counted those of the checks.
    student = student.afresh()
    rng = np.random.default_rng(8)
    theta_Q, theta_T = cases.probe(rng, 4, 2), cases.probe(rng, 4, 2)
    for step, period in STEPS:
        case = cases.sync(theta_Q, theta_T, step, period)
        yield f"{step} of {period}", partial(some_of_theta_T, student, case)
    for step in (1, 3):
        case = cases.sync(theta_Q, theta_T, step, 3)
        for name, changed in changes(student, case, "jax"):
            yield f"{name} {step}", changed


def some_of_theta_T(student: Student, case: Case) -> np.ndarray:
    """Return whether it is one of the two, and a few numbers of every array."""
    leaves = student.answer(case).leaves("theta_T")
    exact = [equal(leaves, case.args[name]) for name in ("theta_Q", "theta_T")]
    return np.concatenate([exact, *(leaf.ravel()[:3] for leaf in leaves)])
