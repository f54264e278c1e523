"""What a part answers to a fixed list of questions, in numbers: its fingerprint.

Known wrong solutions are recorded by it, and recognised. So it has to depend on what
the part does and not on how it is written: values where the contract fixes them, and
else frequencies, lengths and yes or no.
"""

import itertools
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np

from grader.contract import cases, fixed_cases
from grader.contract.case import Answer, Case
from grader.contract.outcomes import GraderError, NotImplementedYet, Raised, Wrong
from grader.oracle.candidate import Candidate
from grader.oracle.known import Fingerprint

# An entry for each answer to a question: numbers, or the words of what was raised. The
# name of one that is estimated from random draws starts with "~".
Entries = Iterator[tuple[str, Callable[[], Any]]]

NAN = 9e9  # in the place of what is not finite
MAX_NUMBERS = 64
KEYS, ROWS, ACTIONS = 4096, 16, 4
DRAWS = 600
STEPS = [(0, 3), (1, 3), (2, 3), (3, 3), (4, 3), (6, 3), (9, 3), (3, 6), (6, 6), (7, 1)]
STEPS += [(0, 1), (1, 1000), (999, 1000), (1000, 1000), (1000, 250), (998, 250)]
STEPS += [(12, 3), (1200, 300)]


def fingerprint(
    part: str, student: Candidate, ladder: tuple[Case, ...] = ()
) -> Fingerprint:
    """Ask a part its questions: those of `PROBES`, or else the ladder.

    Raises:
        NotImplementedYet: it is still a stub.
        Stopped: the hand-in's process or its time came to an end.
    """
    found: Fingerprint = {}
    for name, ask in PROBES.get(part, partial(rungs, ladder))(student):
        try:
            answer = ask()
            several = answer if isinstance(answer, tuple) else (answer,)
            for i, one in enumerate(several):
                entry = f"{name} {i}" if i else name
                found[entry] = in_numbers(np.asarray(one, np.float64))
        except (NotImplementedYet, GraderError):
            raise
        except (Raised, Wrong) as reason:
            found[name] = str(reason).splitlines()[0][:120]
        # What comes from the worker can be anything: then it is like no known mistake.
        except Exception as strange:
            found[name] = f"strange: {type(strange).__name__}"
    return found


def in_numbers(answer: np.ndarray) -> list[float]:
    """The shape and the values, of six digits."""
    values = np.nan_to_num(answer.ravel(), nan=NAN, posinf=-NAN, neginf=-NAN)
    shape = [] if answer.ndim == 1 else [float(n) for n in answer.shape]
    return [*shape, *(float(f"{value:.6g}") for value in values[:MAX_NUMBERS])]


# ---------------------------------------------------------------- values


def rungs(ladder: tuple[Case, ...], student: Candidate) -> Entries:
    """A plain function on its ladder."""
    for i, case in enumerate(ladder):
        yield f"result {i}", partial(output, student, case, "result")


def table(student: Candidate) -> Entries:
    """`update_Q_TD0` on its ladders."""
    ladder = [
        *(fixed_cases.TD0_CONTINUES.ladder + fixed_cases.TD0_ENDS.ladder),
        *(fixed_cases.TD0_CUT.ladder + fixed_cases.TD0_EPISODE.ladder),
        *fixed_cases.TD0_REVISITS.ladder,
    ]
    for i, case in enumerate(ladder):
        yield f"Q {i}", partial(output, student, case, "Q")
    yield from with_flags(
        student, fixed_cases.TD0_EPISODE.ladder[0], "terminateds", "Q"
    )
    yield from changes(student, fixed_cases.TD0_EPISODE.ladder[0])
    yield from changes(student, fixed_cases.TD0_EPISODE.ladder[0], "jax")


def output(student: Candidate, case: Case, name: str) -> np.ndarray:
    """One output for a case."""
    return student.answer(case).array(name)


def flags(student: Candidate) -> Entries:
    """`episode_terminateds` for some lengths."""
    for steps in (1, 4):
        case = Case("episode_terminateds", {"num_steps": steps}, {})
        yield f"flags {steps}", partial(output, student, case, "terminateds")


def returns(student: Candidate) -> Entries:
    """`discounted_returns` on its ladders."""
    ladder = fixed_cases.RETURNS_SHORT.ladder + fixed_cases.RETURNS_LONG.ladder
    for i, case in enumerate(ladder):
        yield f"G {i}", partial(output, student, case, "returns")
    yield from changes(student, fixed_cases.RETURNS_LONG.ladder[0])
    yield from changes(student, fixed_cases.RETURNS_LONG.ladder[0], "jax")


def mc_loss(student: Candidate) -> Entries:
    """`mc_loss` on its ladders, with a stand-in for the returns."""
    for i, case in enumerate(
        fixed_cases.MC_ONE_STEP.ladder + fixed_cases.MC_EPISODE.ladder
    ):
        standing_in = Case(case.part, {**case.spec, "stand_in": True}, case.args)
        yield f"loss {i}", partial(loss_and_slope, student, standing_in)


def td_loss(student: Candidate) -> Entries:
    """`td_loss` on its ladders."""
    ladder = [
        *(fixed_cases.TD_CONTINUES.ladder + fixed_cases.TD_ENDS.ladder),
        *(fixed_cases.TD_BATCH_CONTINUES.ladder + fixed_cases.TD_MIXED.ladder),
        *fixed_cases.TD_LEARNING.ladder,
    ]
    for i, case in enumerate(ladder):
        yield f"loss {i}", partial(loss_and_slope, student, case)
    yield from with_flags(student, fixed_cases.TD_MIXED.ladder[0], "terminated", "loss")
    yield "jit", lambda: traceable(student, fixed_cases.TD_MIXED.ladder[0])
    yield from changes(student, fixed_cases.TD_MIXED.ladder[0])


def loss_and_slope(student: Candidate, case: Case) -> tuple[np.ndarray, np.ndarray]:
    """The loss, and its gradient in the output bias, which no mistake leaves alone."""
    answer = student.answer(case)
    return answer.array("loss"), answer.leaves("grads")[-1].ravel()


def with_flags(student: Candidate, case: Case, flag: str, name: str) -> Entries:
    """The same with 0 and 1 for false and true."""
    for kind in ("uint8", "float32"):
        args = {**case.args, flag: case.args[flag].astype(kind)}
        other = Case(case.part, case.spec, args)
        yield kind, partial(output, student, other, name)


def changes(student: Candidate, case: Case, kind: str = "numpy") -> Entries:
    """Whether arguments that can be changed are."""

    def changed() -> list[int]:
        try:
            return [len(student.changed(case, kind))]
        except Raised:
            return [0]  # as the check forgives it

    yield {"numpy": "changed", "jax": "deleted"}[kind], changed


def traceable(student: Candidate, case: Case) -> np.ndarray:
    """Zero where it can be exported."""
    student.export(case)
    return np.zeros(1)


def td_update(student: Candidate) -> Entries:
    """`td_update` with a stand-in for the loss, from fresh and from used states."""
    runner = student.runner
    cases_of = {"sgd": fixed_cases.UPDATE.ladder[-1]}
    for name in ("sgd", "adam", "clipped_adamw"):
        case = cases_of.get(name, fixed_cases.UPDATE.ladder[0])
        case = Case(case.part, {**case.spec, "stand_in": True}, case.args)
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


def step_taken(student: Candidate, case: Case) -> tuple[np.ndarray, ...]:
    """The loss, and a few numbers of every array of theta_Q and of opt_state."""
    answer = student.answer(case)
    leaves = [*answer.leaves("theta_Q"), *answer.leaves("opt_state")]
    return (answer.array("loss"), *(leaf.ravel()[:3] for leaf in leaves))


def sync(student: Candidate) -> Entries:
    """`sync_target` at many steps: some numbers of what it returns."""
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


def some_of_theta_T(student: Candidate, case: Case) -> np.ndarray:
    """Whether it is one of the two bit for bit, and a few numbers of every array."""
    leaves = student.answer(case).leaves("theta_T")
    exact = [equal(leaves, case.args[name]) for name in ("theta_Q", "theta_T")]
    return np.concatenate([exact, *(leaf.ravel()[:3] for leaf in leaves)])


# ---------------------------------------------------------------- the network


def network(student: Candidate) -> Entries:
    """What shapes, bounds and dependences `q_network` has."""
    rng = np.random.default_rng(3)
    for sizes in ((3, 5), (4, 2)):
        states = rng.normal(size=(8, sizes[0])).astype(np.float32)
        fresh = partial(fresh_parameters, student, sizes)
        q_values = partial(values_at, student, sizes)
        name = f"{sizes[0]} {sizes[1]}"
        yield f"shape {name}", partial(lambda q, s: q(0.0, s).shape, q_values, states)
        yield (
            f"kinds {name}",
            partial(lambda f: {x.dtype.kind for x in f(1)} == {"f"}, fresh),
        )
        yield (
            f"keys {name}",
            partial(lambda f: [equal(f(1), f(k)) for k in (1, 2)], fresh),
        )
        yield (
            f"zeros {name}",
            partial(lambda f: not any(x.any() for x in f(1)), fresh),
        )
        yield (
            f"range {name}",
            partial(lambda q, s: extent(q(10.0, s)), q_values, states),
        )
        yield f"bend {name}", partial(bend, q_values, states)


def fresh_parameters(
    student: Candidate, sizes: tuple[int, int], seed: int
) -> list[np.ndarray]:
    """The parameters of a new network."""
    return student.answer(cases.fresh_network(seed, *sizes)).leaves("theta")


def values_at(
    student: Candidate, sizes: tuple[int, int], scale: float, states: np.ndarray
) -> np.ndarray:
    """The values [B,A] at random parameters of that scale; at 0 the fresh ones."""
    theta = fresh_parameters(student, sizes, 1)
    if scale:
        draw = np.random.default_rng(4).normal
        theta = [(scale * draw(size=x.shape)).astype(x.dtype) for x in theta]
    spec = {"net": "own", "state_dim": sizes[0], "num_actions": sizes[1]}
    question = Case("forward", spec, {"theta": theta, "state": states})
    return student.answer(question).array("q_values")


def equal(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    """Whether two lists of arrays are equal."""
    return len(a) == len(b) and all(map(np.array_equal, a, b))


def extent(q_values: np.ndarray) -> list[bool]:
    """Never negative or positive, within bounds, adding up to 1 or 0, all the same."""
    return [
        bool((q_values >= 0).all()),
        bool((q_values <= 0).all()),
        *(bool((np.abs(q_values) <= 1.001 * bound).all()) for bound in (1, 1000)),
        bool((np.abs(q_values.sum(axis=-1) - 1) < 1e-3).all()),
        bool((np.abs(q_values.sum(axis=-1)) < 1e-4 * np.abs(q_values).max()).all()),
        bool((q_values == q_values[0]).all()),
    ]


def bend(q_values: Callable, states: np.ndarray) -> list[bool]:
    """Whether it is a straight line, and which numbers of the state matter."""
    zero = q_values(0.5, 0 * states)
    once, twice = (q_values(0.5, k * states) - zero for k in (1, 2))
    straight = np.abs(twice - 2 * once).max() <= 1e-3 * np.abs(once).max()
    seen = []
    for i in range(states.shape[1]):
        moved = states.copy()
        moved[:, i] += 2
        seen.append(bool((q_values(0.5, moved) != q_values(0.5, states)).any()))
    return [bool(straight), *seen]


# ---------------------------------------------------------------- exploration


def epsilon_greedy(student: Candidate) -> Entries:
    """How often each action, by its number and by its rank, is chosen."""
    rng = np.random.default_rng(5)
    q_values = cases.distinct(rng, ROWS, ACTIONS)
    ranks = (-q_values).argsort(axis=1).argsort(axis=1)
    keys = rng.integers(0, 2**32, (KEYS, 2), dtype=np.uint32)

    def chosen(epsilon: float, rows: int = ROWS, lower: float = 0.0) -> np.ndarray:
        case = cases.exploration(keys[0], q_values[:rows] - lower, epsilon)
        actions = student.answer_keys(case, keys, "actions")
        if actions.shape[1:] != (rows,):
            raise Wrong(f"shape {actions.shape[1:]} for {rows} rows")
        return actions

    def by_rank(epsilon: float, lower: float = 0.0) -> np.ndarray:
        actions = chosen(epsilon, lower=lower)
        known = (actions[:, :, None] == np.arange(ACTIONS)).astype(float)
        shares = [known[:, ranks == rank].mean() for rank in range(ACTIONS)]
        return np.array([*shares, 1 - known.sum(axis=2).mean()])

    def by_number() -> np.ndarray:
        actions = chosen(1.0)
        return (actions[:, :, None] == np.arange(ACTIONS)).mean(axis=(0, 1))

    def scatter(epsilon: float) -> np.ndarray:
        """How much more than by chance the number of non-greedy rows varies, / 8."""
        others = (chosen(epsilon) != q_values.argmax(axis=1)).sum(axis=1)
        share = others.mean() / ROWS
        return np.array(others.var() / (ROWS * share * (1 - share) + 1e-9) / 8)

    def together() -> np.ndarray:
        """How often the first two rows have one action."""
        actions = chosen(1.0)
        return np.array((actions[:, 0] == actions[:, 1]).mean())

    def repeats() -> list[bool]:
        pair = chosen(1.0)[:2]
        return [np.array_equal(pair[0], chosen(1.0)[0]), np.array_equal(*pair)]

    def alone(epsilon: float) -> np.ndarray:
        """A single row, in which nothing can be shared out."""
        actions = chosen(epsilon, 1)
        return (actions == np.arange(ACTIONS)).mean(axis=0) / 4  # of fewer draws

    for epsilon in (0.0, 0.05, 0.5, 0.9, 1.0):
        yield f"~ranks {epsilon}", partial(by_rank, epsilon)
    yield "~ranks of negative values", partial(by_rank, 0.0, 20.0)
    yield "~numbers", by_number
    yield "~scatter", partial(scatter, 0.5)
    yield "~together", together
    yield "~alone 0.5", partial(alone, 0.5)
    yield "~alone 1", partial(alone, 1.0)

    def of_two(epsilon: float) -> np.ndarray:
        """How often the better one of two actions is chosen."""
        two = cases.distinct(np.random.default_rng(6), ROWS, 2)
        case = cases.exploration(keys[0], two, epsilon)
        return np.mean(student.answer_keys(case, keys, "actions") == two.argmax(axis=1))

    def hard() -> list[bool]:
        """Whether whole numbers, ties and close values lead to the best, or outside."""
        found = []
        values: list[list[float]] = [[2, 0, 1, -1], [0, 3, 3, 1], [1, 1, 1, 1]]
        values += [[-3, -1, -2, -1], [500, 500.05, 500.1, 500.15]]
        values += [[2.25, 2.75, -0.5, 0.5], [1000, 1001, 0, 0], [100, 100.9, 50, 0]]
        for row in values:
            alike = np.tile(np.array(row, np.float32), (ROWS, 1))
            case = cases.exploration(keys[0], alike, 0.0)
            actions = student.answer(case).array("actions")
            best = np.flatnonzero(alike[0] == alike[0].max())
            found += [bool(np.isin(actions, best).all()), bool((actions > 3).any())]
        return found

    yield "~of two 1", partial(of_two, 1.0)
    yield "~of two 0.5", partial(of_two, 0.5)
    yield "hard", hard
    yield "keys", repeats
    one = cases.exploration(keys[0], q_values[:1], 0.0)
    yield "one row", lambda: student.answer(one).array("actions")
    two = cases.exploration(keys[0], cases.distinct(rng, 8, 2), 0.5)
    yield "jit", lambda: traceable(student, two)


# ---------------------------------------------------------------- the buffer


def buffer(student: Candidate) -> Entries:
    """Lengths, which transitions come, whether a row's fields belong together."""
    add = "add"
    seed: list = ["rng", 11]
    stored = cases.transitions(0, 40)

    def play(capacity: int, *script: Any) -> Answer:
        spec = {"capacity": capacity, "script": list(script)}
        return student.answer(Case("replay_buffer", spec, cases.transitions(0, 40)))

    def lengths(capacity: int) -> list[int]:
        script = [op for i in range(12) for op in ([add, i, i + 1], ["len"])]
        script += [seed, ["sample", 1], ["len"]]
        return play(capacity, *script).numbers("lengths")

    def numbers(sample: dict[str, np.ndarray]) -> np.ndarray:
        """The transitions' numbers by their states; -1 for what was never stored."""
        states = sample["state"][..., 0]
        found = np.floor(states.astype(np.float64)).astype(int)
        known = (found >= 0) & (found < 40)
        right = stored["state"][np.clip(found, 0, 39), 0]
        return np.where(known & (np.abs(states - right) < 1e-3), found, -1)

    @cache  # several entries look at the same draws
    def drawn(added: int, size: int = 5, capacity: int = 8) -> dict[str, np.ndarray]:
        script = [[add, 0, added], seed, ["samples", DRAWS, size]]
        return the_sample(play(capacity, *script))

    def shares(added: int) -> np.ndarray:
        found = numbers(drawn(added))
        counts = np.bincount(found.ravel() + 1, minlength=41)
        return counts / found.size

    def fields(added: int) -> list[float]:
        sample = drawn(added)
        found = numbers(sample)
        agree = []
        for name, column in stored.items():
            value, right = sample[name], column[found]
            same = value.shape == right.shape and value == right
            agree.append(float(np.mean(same)))
        return [*agree, float((found < 0).mean())]

    def kept(added: int) -> list[bool]:
        found = numbers(drawn(added))
        return [bool((found == number).any()) for number in range(-1, 40)]

    def foreign(added: int) -> list[bool]:
        """Whether states are next states, rewards whole, and rewards ever stored."""
        sample = drawn(added)
        states = stored["next_state"][:, 0]
        return [
            bool(np.isin(sample["state"][..., 0], states).any()),
            bool((sample["reward"] == np.round(sample["reward"])).all()),
            bool(np.isin(sample["reward"], stored["reward"]).all()),
        ]

    def after_a_sample() -> list[bool]:
        """Which transitions are left after a sample and four more."""
        script = [[add, 0, 8], seed, ["sample", 8], [add, 8, 12]]
        found = numbers(the_last(play(8, *script, ["samples", DRAWS, 5])))
        return [bool((found == number).any()) for number in range(12)]

    def mixed(added: int) -> list[bool]:
        return [share < 1 for share in fields(added)[:-1]]

    def shape(size: int) -> list[int]:
        sample = the_sample(play(20, [add, 0, 12], seed, ["sample", size]))
        return [n for name in stored for n in sample[name].shape]

    def added_later(added: int) -> list[int]:
        """Which transitions come, and the length, with samples between the adds."""
        stages = [n for n in (0, 4, 7, 9, 11) if n <= added]
        script: list = [seed]
        for first, last in itertools.pairwise(stages):
            script += [[add, first, last], ["samples", DRAWS // 10, 4], ["len"]]
        answer = play(8, *script)
        found = numbers(the_last(answer))
        seen = [int((found == number).any()) for number in range(11)]
        return seen + answer.numbers("lengths")

    def whole_actions() -> list[bool]:
        return [drawn(6)["action"].dtype.kind in "iu"]

    def plain() -> list[float]:
        """Transitions that were added as Python's numbers."""
        script = [["plain", 0, 6], seed, ["samples", 20, 5]]
        sample = the_last(play(8, *script))
        found = numbers(sample)
        return [float(np.mean(sample[n] == c[found])) for n, c in stored.items()]

    def equal_ones() -> list[int]:
        return play(8, *([[add, 1, 2]] * 3), ["len"]).numbers("lengths")

    def overlap() -> float:
        """Which share of a batch of 5 of 20 was in the one before."""
        found = numbers(drawn(20, 5, 20))
        pairs = itertools.pairwise(found)
        return float(np.mean([np.isin(b, a).mean() for a, b in pairs]))

    def pairs() -> list[float]:
        found = numbers(drawn(8))
        same = float((found[:, 0] == found[:, 1]).mean())
        legal = same == 0 or abs(same - 1 / 8) < 0.03
        after = float(((found[:, 0] + 1) % 8 == found[:, 1]).mean())
        return [0.0 if legal else same, after if abs(after - 1 / 7.5) > 0.03 else 0.0]

    def generator() -> list[bool]:
        batch: list = ["samples", 3, 5]
        other: list = ["rng", 12]
        script = [[add, 0, 8], seed, batch, seed, batch, other, batch]
        a, b, c = (numbers(s) for s in play(8, *script)["samples"])
        return [np.array_equal(a, b), np.array_equal(a, c), np.array_equal(a[0], a[1])]

    def copies() -> list[bool]:
        script = [[add, 0, 6], ["scribble"], seed, ["samples", 50, 5]]
        sample = the_sample(play(8, *script))
        return [bool((sample[n] == -12345).any()) for n in ("state", "next_state")]

    def stays(size: int, *between: Any) -> list[bool]:
        script = [[add, 0, 8], seed, ["sample", size], *between, ["reread", 0]]
        samples = play(8, *script)["samples"]
        a, b = samples[0], samples[-1]
        return [np.array_equal(a[name], b[name]) for name in stored]

    def left() -> list[int]:
        script = [[add, 0, 8], seed, *([["sample", 8], ["len"]] * 3)]
        return play(8, *script).numbers("lengths")

    for capacity in (1, 8):
        yield f"lengths {capacity}", partial(lengths, capacity)
    for added in (6, 8, 9, 11, 16, 27):
        yield f"~shares {added}", partial(shares, added)
    for added in (6, 8, 9, 11, 16, 27):
        yield f"kept {added}", partial(kept, added)
    for added in (6, 11):
        yield f"~fields {added}", partial(fields, added)
        yield f"mixed {added}", partial(mixed, added)
        yield f"foreign {added}", partial(foreign, added)
    yield "kept after a sample", after_a_sample
    for added in (7, 11):
        yield f"added later {added}", partial(added_later, added)
    yield "whole actions", whole_actions
    yield "plain numbers", plain
    script = {"capacity": 8, "script": [["add", 0, 6], seed, ["sample", 5]]}
    yield from changes(student, Case("replay_buffer", script, stored))
    for size in (1, 3, 12):
        yield f"shape {size}", partial(shape, size)
    yield "equal", equal_ones
    yield "~overlap", overlap
    yield "~pairs", pairs
    yield "generator", generator
    yield "copies", copies
    yield "stays after adds", partial(stays, 5, [add, 8, 16])
    yield "stays after a sample", partial(stays, 5, ["sample", 5])
    yield "stays whole", partial(stays, 8, [add, 8, 16])
    yield "left", left


def the_sample(answer: Answer) -> dict[str, np.ndarray]:
    """The one sample of an answer, with all of its fields."""
    samples = answer.get("samples")
    if not isinstance(samples, list) or len(samples) != 1:
        raise Wrong("no sample came back")
    return the_last(answer)


def the_last(answer: Answer) -> dict[str, np.ndarray]:
    """The last sample of an answer, with all of its fields."""
    samples = answer.get("samples")
    names = cases.transitions(0, 1)
    if not isinstance(samples, list) or not samples:
        raise Wrong("no sample came back")
    sample = samples[-1]
    if not isinstance(sample, dict) or not all(
        isinstance(sample.get(name), np.ndarray) for name in names
    ):
        raise Wrong("no sample came back")
    if sample["state"].ndim < 2:
        raise Wrong(f"a state of shape {sample['state'].shape}")
    return sample


PROBES: dict[str, Callable[[Candidate], Entries]] = {
    "update_Q_TD0": table,
    "episode_terminateds": flags,
    "discounted_returns": returns,
    "mc_loss": mc_loss,
    "q_network": network,
    "epsilon_greedy": epsilon_greedy,
    "ReplayBuffer": buffer,
    "td_loss": td_loss,
    "td_update": td_update,
    "sync_target": sync,
}
