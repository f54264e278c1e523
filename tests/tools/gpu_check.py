"""`make gpu-check`: grade on a GPU and on a CPU, and compare; at most six minutes.

Two processes grade the same hand-ins at the same time, one for each device: the
solution, ten right styles and ten known mistakes. The solution and whole styles are
graded in exercises 1–8. A hand-in that differs from the solution in one part is graded
only in the exercises that run this part. Then the solution learns (exercise 9), if
enough time is left. The solution also answers the recorded questions on both devices.
The command writes into `tests/evidence/GPU.md`:

- whether both devices give every check the same outcome, points and diagnosis
- how far the solution's answers are from the recorded ones
  (`tests/evidence/answers.npz`), divided by the tolerance with which the checks compare
- how long each hand-in took, and what was left out for lack of time

The command needs this repository and a JAX with CUDA, but no network. `DEVICE=cpu` is a
rehearsal: it compares the CPU with the CPU and writes no page.

The exit code is 0 if all of this holds: both devices agree, all deviations are within
the tolerance, right hand-ins lose nothing, and each mistake loses points in its own
exercise only. The exit code is 1 if not, or if a hand-in was left out. It is 2 if the
check cannot run on this machine.
"""

import argparse
import multiprocessing
import platform
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from grader.cli import DEVICES, guarded
from grader.contract.compare import ATOL, RTOL
from grader.contract.exercises import UNITS
from grader.contract.limits import LIMITS
from grader.contract.outcomes import GraderError, Outcome
from grader.grading.pipeline import Options, Progress, check_device, grade
from grader.grading.plugin import nobody
from grader.intake.submission import Submission
from grader.oracle.candidate import Candidate
from grader.oracle.warm import WarmProcesses
from tests.corpus.mutants import MUTANTS
from tests.corpus.variants import VARIANTS, WHOLE
from tests.support.edits import SOLUTION
from tests.support.handins import HandIn, Results, by_name, checked
from tests.support.proof import BUILT_ON, EVIDENCE
from tests.support.record import Arrays, load_answers
from tests.tools.reference import PACKAGES, right_answers

PAGE = EVIDENCE / "GPU.md"
SECONDS = 360.0  # time limit of the whole check
LEARNING_SECONDS = 30.0  # least time for which learning is begun
CUDA = ("jax-cuda12-plugin", "jax-cuda13-plugin")
THE_SOLUTION, LEARNS = "the solution", "the solution learns"

# Right styles whose programs use other parts of a GPU's libraries than the solution:
# scatter, convolution, triangular systems, QR, sorting, matrix products, float64. The
# whole ones come last, because they take longest.
STYLES = (
    "update_Q_TD0-segment_sum",
    "monte_carlo-convolution",
    "monte_carlo-a-triangular-system",
    "q_network-orthogonal-weights-at-first",
    "epsilon_greedy-the-best-by-top_k",
    "td_loss-matrices-and-einsum",
    "custom-modules",
    "heavily-jitted",
    "python-loops",
    "float64",
)
# One mistake for each of the exercises 1–8, and two more. Many change answers only
# slightly, or change only how often an action is drawn.
MISTAKES = (
    "tab-gamma-powers",
    "mc-rmse",
    "out-tanh",
    "argmax-in-half-precision",
    "per-field-indices",
    "td-huber",
    "up-clips-norm",
    "sync-half-precision",
    "random-shared",
    "td-double",
)

WHAT = (
    "What `make gpu-check` found; the command writes this page. It grades the same",
    "hand-ins on a GPU and on a CPU: the solution, right ones in other styles, and",
    "known mistakes. The solution and whole styles are graded in exercises 1–8, the",
    "others in the exercises that run the one part in which they differ from it.",
)

# For each check, "exercise.check": its outcome, its points, its full points and the
# diagnosis.
Verdicts = dict[str, tuple[str, float, float, str]]
# For each part: the number of compared arrays, and the largest share of the tolerance.
Shares = dict[str, tuple[int, float]]


@dataclass(frozen=True)
class Result:
    """The result of grading one hand-in on one device.

    Attributes:
        name: the name of the hand-in.
        verdicts: the outcome, points, full points and diagnosis of each check, by
            "exercise.check".
        seconds: the duration in seconds.
        problem: the message of a grader error; "" if there was none.
    """

    name: str
    verdicts: Verdicts
    seconds: float
    problem: str = ""

    @property
    def lost(self) -> list[str]:
        """The checks with less than full points, each as "exercise.check"."""
        return [
            check
            for check, (_, score, most, _) in self.verdicts.items()
            if score < most
        ]


@dataclass
class Side:
    """The results of all hand-ins on one device.

    Attributes:
        label: the device in words.
        start: the seconds until worker and runner were ready; None if they never were.
        results: the results by the hand-in's name.
        shares: the deviations from the recorded answers, see the function `shares`;
            None if they were not measured.
        problem: why the device's process ended early; "" if it did not.
    """

    label: str
    start: float | None = None
    results: dict[str, Result] = field(default_factory=dict)
    shares: Shares | None = None
    problem: str = ""


def main() -> int:
    """Run this check with the options of the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.gpu_check")
    parser.add_argument("--device", choices=DEVICES, default="gpu")
    parser.add_argument("--sandbox", default="", help="bwrap, landlock or process")
    asked = parser.parse_args()
    return guarded(lambda: check(asked.device, asked.sandbox))


def check(device: str, tier: str) -> int:
    """Compare a device with the CPU and print the page; write the page only for a GPU.

    Args:
        device: "gpu", or "cpu" for a rehearsal.
        tier: the name of the tier; "" for the strongest one that works.

    Returns:
        The exit code: 0, or 1 if there is a problem.

    Raises:
        UsageError: no JAX with CUDA is installed.
        GraderError: worker and runner do not start on a device.
    """
    check_device(device)
    begun = time.monotonic()
    labels = (device, "cpu") if device != "cpu" else ("cpu 1", "cpu 2")
    sides = run(((device, labels[0]), ("cpu", labels[1])), tier, begun + SECONDS)
    for side in sides:
        if side.start is None:
            why = side.problem or f"no sign of life in {SECONDS:.0f} s"
            raise GraderError(f"on {side.label}: {why}")
    seconds = time.monotonic() - begun
    where = machine(card() if device == "gpu" else "no GPU: a rehearsal")
    text = page(sides, where, seconds)
    print(text)
    if device == "gpu":
        PAGE.write_text(text, encoding="utf-8")
    return 1 if problems(sides) else 0


def chosen() -> list[HandIn]:
    """Return the hand-ins to grade: the solution, then mistakes and styles in turn."""
    styles = {one.id: one.hand_in for one in [*VARIANTS, *WHOLE]}
    mistakes = {one.id: one for one in MUTANTS}
    hand_ins = [HandIn(THE_SOLUTION, SOLUTION, tuple(UNITS))]
    for style, mistake in zip(STYLES, MISTAKES, strict=True):
        exercise = mistakes[mistake].exercise
        exercises = BUILT_ON.get(exercise, (exercise,))
        hand_ins.append(HandIn(mistake, mistakes[mistake].source, exercises))
        hand_ins.append(replace(styles[style], name=style))
    return hand_ins


# ------------------------------------------------------------------ one process each


def run(devices: Iterable[tuple[str, str]], tier: str, until: float) -> list[Side]:
    """Grade on several devices at the same time, each in its own process.

    Args:
        devices: pairs of "cpu" or "gpu" and the label of the device.
        tier: the name of the tier; "" for the strongest one that works.
        until: the time of `time.monotonic` at which all processes are ended.

    Returns:
        The results on each device, in the order of `devices`.
    """
    spawn = multiprocessing.get_context("spawn")
    told: Any = spawn.Queue()
    sides, processes = [], []
    for number, (device, label) in enumerate(devices):
        given = (number, device, tier, until, told)
        sides.append(Side(label))
        # A daemon is ended when this process ends.
        processes.append(spawn.Process(target=work, args=given, daemon=True))
        processes[-1].start()
    running = len(sides)
    while running and time.monotonic() < until:
        alive = any(process.is_alive() for process in processes)
        try:
            number, kind, value = told.get(timeout=1.0)
        except queue.Empty:
            if not alive:
                break
            continue
        running -= kind == "end"
        note(sides[number], kind, value)
        if kind == "problem" and sides[number].start is None:
            break  # nothing can be compared
    for process in processes:
        process.terminate()
    return sides


def note(side: Side, kind: str, value: Any) -> None:
    """Store a message from the process of one device; print a line for each result.

    Args:
        side: the results of the device so far; the message is stored there.
        kind: "result", "end", or the name of an attribute of `Side`.
        value: a `Result`, or the attribute's value; None for "end".
    """
    if kind == "result":
        side.results[value.name] = value
        words = value.problem or f"loses {len(value.lost)} checks"
        line = f"{side.label:12s} {value.seconds:6.1f} s  {value.name}  {words}"
        print(line, file=sys.stderr, flush=True)
    elif kind != "end":
        setattr(side, kind, value)


def work(number: int, device: str, tier: str, until: float, told: Any) -> None:
    """Grade all hand-ins on one device; this function runs in its own process.

    Args:
        number: the number of the device, sent with each message.
        device: "cpu" or "gpu".
        tier: the name of the tier; "" for the strongest one that works.
        until: the time of `time.monotonic` at which this process will be ended.
        told: the queue for the messages: tuples of this number, a kind and a value.
            `note` describes kind and value.
    """

    def tell(kind: str, value: Any = None) -> None:
        told.put((number, kind, value))

    try:
        begun = time.monotonic()
        with WarmProcesses(tier, device=device) as warm:
            tell("start", time.monotonic() - begun)
            grade_warm(warm, until, tell)
        left = until - time.monotonic()
        if left > LEARNING_SECONDS and (learnt := learning(device, tier, left)):
            tell("result", learnt)
    except GraderError as error:
        tell("problem", str(error))
    except BaseException as error:  # this process ends, and the page says why
        tell("problem", f"{type(error).__name__}: {error}")
    finally:
        tell("end")


def grade_warm(
    warm: WarmProcesses, until: float, tell: Callable[[str, Any], None]
) -> None:
    """Grade the hand-ins in exercises 1–8, and measure deviations of the answers.

    Args:
        warm: the worker and the runner.
        until: the time of `time.monotonic` at which this process will be ended.
        tell: a function that sends a message; it takes a kind and a value, see `note`.
    """
    for hand_in in chosen():
        if time.monotonic() > until:
            return
        submission = Submission(hand_in.name, hand_in.source.encode())
        result = timed(
            hand_in.name,
            lambda h=hand_in, s=submission: checked(h, warm.take(s, fresh=h.fresh)),
        )
        if hand_in.fresh:
            warm.worker.stop()
        tell("result", result)
        if hand_in.name == THE_SOLUTION and not result.problem:
            tell("shares", shares(answers_of(warm.take(submission)), load_answers()))


def timed(name: str, results: Callable[[], Results]) -> Result:
    """Call a function that grades; return its results and the duration as a `Result`.

    Args:
        name: the name of the hand-in.
        results: the function; it takes nothing and returns the results of exercises by
            name. If it raises `GraderError`, the `Result` says so.
    """
    begun = time.monotonic()
    try:
        found, problem = verdicts(results()), ""
    except GraderError as error:
        found, problem = {}, f"grader error: {error}"
    return Result(name, found, time.monotonic() - begun, problem)


def learning(device: str, tier: str, left: float) -> Result | None:
    """Return the result of the solution in exercise 9; None if the time was too short.

    Args:
        device: "cpu" or "gpu".
        tier: the name of the tier; "" for the strongest one that works.
        left: the seconds until this process will be ended.
    """
    most = left - 2.0  # two seconds are for sending the result
    limits = replace(
        LIMITS,
        run_seconds=min(LIMITS.run_seconds, most),
        learn_seconds=min(LIMITS.learn_seconds, most),
        all_learn_seconds=min(LIMITS.all_learn_seconds, most),
    )
    options = Options("1", ("learning",), tier=tier, device=device, limits=limits)
    submission = Submission(THE_SOLUTION, SOLUTION.encode())
    result = timed(
        LEARNS, lambda: by_name(grade(submission, options, Progress()).exercises)
    )
    late = any(outcome == Outcome.TIMEOUT for outcome, *_ in result.verdicts.values())
    return None if late and most < LIMITS.learn_seconds else result


def verdicts(results: Results) -> Verdicts:
    """Return the outcome, points, full points and diagnosis of each check.

    The keys are "exercise.check". The diagnosis is "" if there is none.

    Args:
        results: the results of exercises, by the exercise's name.
    """
    return {
        f"{exercise.name}.{check.name}": (
            str(check.outcome),
            check.score,
            check.max_score,
            check.diagnosis or "",
        )
        for exercise in results.values()
        for check in exercise.checks
    }


# ------------------------------------------------------------------ deviations


def answers_of(student: Candidate) -> Arrays:
    """Return the solution's answers to the recorded questions, by "part/digest/output".

    Args:
        student: the solution, as a candidate.

    Raises:
        GraderError: the solution fails a check.
    """
    return right_answers(student, nobody)[0].answers


def shares(obtained: Arrays, recorded: Arrays) -> Shares:
    """Compare answers with the recorded ones, part by part.

    Args:
        obtained: the solution's answers on a device, by "part/digest/output".
        recorded: the recorded answers, by the same names.

    Returns:
        By part, the number of compared arrays and the largest result of `share`.
    """
    found: dict[str, list[float]] = {}
    for name in sorted(obtained.keys() & recorded.keys()):
        part = name.partition("/")[0]
        found.setdefault(part, []).append(share(obtained[name], recorded[name]))
    return {part: (len(each), max(each)) for part, each in found.items()}


def share(obtained: np.ndarray, recorded: np.ndarray) -> float:
    """Return the largest deviation of two arrays, divided by the checks' tolerance.

    1.0 is the largest deviation that a check accepts. The result is infinity for arrays
    of different shapes, and if a number is finite in only one of the arrays.

    Args:
        obtained: an array of an answer.
        recorded: the same array of the recorded answer.
    """
    if obtained.shape != recorded.shape:
        return float("inf")
    a, b = obtained.astype(np.float64), recorded.astype(np.float64)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    allowed = ATOL + RTOL * np.abs(b).max(initial=0.0)
    return float((np.abs(a - b) / allowed).max(initial=0.0))


# ------------------------------------------------------------------ the page


def differences(a: Result, b: Result) -> list[str]:
    """Return the checks for which two devices differ in outcome, points or diagnosis.

    Args:
        a: the result of a hand-in on one device.
        b: the result of the same hand-in on the other device.

    Returns:
        The checks, each as "exercise.check".
    """
    return [
        check
        for check in {**a.verdicts, **b.verdicts}
        if a.verdicts.get(check) != b.verdicts.get(check)
    ]


def left_out(sides: list[Side]) -> list[str]:
    """Return the names of the gradings that at least one device has not done.

    Args:
        sides: the results on both devices.
    """
    names = [*(hand_in.name for hand_in in chosen()), LEARNS]
    return [name for name in names if any(name not in side.results for side in sides)]


def problems(sides: list[Side]) -> list[str]:
    """Return a sentence for each problem; [] if there is none.

    Args:
        sides: the results on both devices.
    """
    first, second = sides
    exercise_of = {one.id: one.exercise for one in MUTANTS if one.id in MISTAKES}
    bad = [f"{side.label}: {side.problem}" for side in sides if side.problem]
    bad += [f"left out for lack of time: {name}" for name in left_out(sides)]
    for side in sides:
        for name, result in side.results.items():
            if result.problem:
                bad.append(f"{name} on {side.label}: {result.problem}")
                continue
            own = [exercise_of[name]] if name in exercise_of else []
            exercises = [check.partition(".")[0] for check in result.lost]
            if list(dict.fromkeys(exercises)) != own:
                where = ", ".join(result.lost) or "nowhere"
                bad.append(f"{name} on {side.label} loses points in {where}")
        for part, (_, worst) in (side.shares or {}).items():
            if not worst <= 1:
                bad.append(f"{part} on {side.label} deviates by {worst:.3g} tolerances")
        if side.shares is None:
            bad.append(f"on {side.label} no deviations were measured")
    for name in first.results.keys() & second.results.keys():
        for check in differences(first.results[name], second.results[name]):
            bad.append(f"{name}: {check} differs between the devices")
    return bad


def page(sides: list[Side], where: str, seconds: float) -> str:
    """Return the page as Markdown.

    Args:
        sides: the results on the device, then those on the CPU.
        where: the machine and the versions of the packages, in words.
        seconds: the duration of the whole check.
    """
    bad = problems(sides)
    labels = [side.label for side in sides]
    seconds_of = " | ".join(f"seconds, {label}" for label in labels)
    both = [name for name in sides[0].results if name in sides[1].results]
    differ = [
        name for name in both if differences(*(side.results[name] for side in sides))
    ]
    starts = ", ".join(f"{side.start or 0:.1f} s ({side.label})" for side in sides)
    lines = [
        "# On a GPU",
        "",
        *WHAT,
        "",
        f"- {where}",
        f"- {len(both)} gradings on both devices, at the same time, in {seconds:.0f} s "
        f"({SECONDS:.0f} s at most); {len(differ)} of them differ in a check's "
        "outcome, points or diagnosis",
        f"- time until worker and runner were ready: {starts}",
        *(f"- {line}" for line in bad or ["no problem was found"]),
        "",
        "## Hand-ins",
        "",
        f"| hand-in | fails | same | {seconds_of} |",
        f"|---|---|---|{'---|' * len(sides)}",
        *(row(name, sides, name not in differ) for name in both),
        "",
        "## Deviations",
        "",
        "The largest deviation of the solution's answers from the recorded answers, as",
        "a share of the tolerance with which the checks compare.",
        "",
        f"| part | arrays | {' | '.join(labels)} |",
        f"|---|---|{'---|' * len(sides)}",
        *deviation_rows(sides),
    ]
    return "\n".join(lines) + "\n"


def row(name: str, sides: list[Side], same: bool) -> str:
    """Return the table row of one hand-in: failed checks, agreement, durations.

    The failed checks are those on the first device.

    Args:
        name: the name of the hand-in.
        sides: the results on both devices.
        same: whether both devices give every check the same result.
    """
    results = [side.results[name] for side in sides]
    failed = ", ".join(results[0].lost) or "nothing"
    times = " | ".join(f"{result.seconds:.1f}" for result in results)
    return f"| {name} | {failed} | {'yes' if same else 'NO'} | {times} |"


def deviation_rows(sides: list[Side]) -> list[str]:
    """Return a table row for each part, with its largest deviation on each device.

    Args:
        sides: the results on both devices.
    """
    found = [side.shares or {} for side in sides]
    parts = sorted({part for each in found for part in each})
    lines = []
    for part in parts:
        count = max(each.get(part, (0, 0.0))[0] for each in found)
        cells = [f"{each[part][1]:.2%}" if part in each else "–" for each in found]
        lines.append(f"| {part} | {count} | {' | '.join(cells)} |")
    return lines


def machine(card: str) -> str:
    """Return a line with the GPU, the kind of processor and the versions of packages.

    Args:
        card: the name of the GPU.
    """
    versions = [f"Python {platform.python_version()}"]
    for name in (*PACKAGES, *CUDA):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return "; ".join([card, platform.machine(), *versions])


def card() -> str:
    """Return the name of the first NVIDIA GPU and the version of its driver.

    If `nvidia-smi` does not work, the text says that the name is unknown.
    """
    words = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(words, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "an NVIDIA card of unknown name"
    name, _, driver = said.stdout.splitlines()[0].partition(",")
    return f"{name.strip()}, driver {driver.strip()}"


if __name__ == "__main__":
    sys.exit(main())
