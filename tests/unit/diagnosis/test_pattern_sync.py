"""The reader finds the mistakes of a `sync_target` from its answers alone."""

import re
from dataclasses import replace

import numpy as np
import pytest

from grader.contract import cases
from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.patterns import sync
from grader.diagnosis.patterns.renewal.contents import COPY, content_of, refusal
from grader.diagnosis.patterns.sync import Observation, explained


def told_by(renews, renewed="theta_Q", kept="theta_T"):
    """Return the answers of a fake `sync_target` to the reader's questions.

    At each step the fake renews θ_T or keeps it. To renew, right code returns θ_Q; to
    keep, it returns θ_T.

    Args:
        renews: function (step, period) that returns whether θ_T is renewed.
        renewed: what the fake returns to renew θ_T: a name in `made`.
        kept: what the fake returns to keep θ_T: a name in `made`.
    """
    rng = np.random.default_rng(0)
    made = {
        "theta_Q": lambda q, t: q,
        "theta_T": lambda q, t: t,
        "mixture": lambda q, t: np.float32(0.001) * q + np.float32(0.999) * t,
        "zeros": lambda q, t: 0 * q,
        "half": lambda q, t: q.astype(np.float16),
        "weights": lambda q, t: q if q.ndim > 1 else t,
        "other": lambda q, t: q * t,
    }
    told = []
    pairs = [*sync.questions(rng), *sync.questions(rng)]
    renewed_at = [step for step, period in pairs if step and renews(step, period)]
    pairs += sync.divisors(renewed_at)
    for step, period in pairs:
        q, t = cases.probe(rng, 4, 2), cases.probe(rng, 4, 2)
        make = made[renewed if renews(step, period) else kept]
        leaves = [make(a, b) for a, b in zip(q, t, strict=True)]
        told.append(Observation(step, period, content_of(leaves, q, t)))
    return told


def multiple(step, period):
    return step % period == 0


def read(*formulas):
    """Return the reading's text and the mistakes' names; None without a reading.

    Args:
        formulas: the arguments of `told_by`.
    """
    found = explained(told_by(*formulas))
    return found and (found.computes, [one.name for one in found.differences])


def test_right_answers_get_no_reading():
    """For a right `sync_target` there is no reading."""
    assert read(multiple) is None


@pytest.mark.parametrize(
    ("renews", "words", "name"),
    [
        (lambda s, p: s > 0 and s % p == 0, "step > 0", "sync-not-at-0"),
        (lambda s, p: s >= p, "step ≥ period", "sync-from-then-on"),
        (lambda s, p: (s + 1) % p == 0, "(step + 1) % period = 0", "sync-one-early"),
        (lambda s, p: s % 300 == 0, "a multiple of 300,", "sync-fixed-period"),
        (lambda s, p: s % p == 0 and s % 4 == 0, "of period and of 4,", "sync-nested"),
        (lambda s, p: s % (p + 1) == 0, "step % (period + 1)", "sync-other-period"),
    ],
)
def test_rule_of_steps(renews, words, name):
    """If `sync_target` returns θ_Q at wrong steps, the mistake is named.

    The reading shows at which steps it returns θ_Q.
    """
    computes, names = read(renews)
    assert words in computes
    assert names == [name]


@pytest.mark.parametrize(
    ("renews", "words"),
    [
        (lambda s, p: (s + 1) % p == 0, "one step early"),
        (lambda s, p: s % p == p - 1, "one step early"),
        (lambda s, p: (s - 1) % p == 0, "one step late"),
        (lambda s, p: s % p == 1, "one step late"),
    ],
)
def test_a_step_early_or_late(renews, words):
    """The hint holds for each way to write the condition.

    It does not say whether something is added to the step or subtracted from it.
    """
    (found,) = explained(told_by(renews)).differences
    assert words in found.hint
    assert not re.search("add|subtract", found.hint)


def test_wrong_contents_are_named():
    """If the returned parameters are neither θ_Q nor θ_T, the mistake is named.

    For a mixture of θ_Q and θ_T, the reading shows both weights.
    """
    computes, names = read(lambda s, p: True, "mixture")
    assert "0.001 θ_Q + 0.999 θ_T at every step" in computes
    assert names == ["polyak-every"]
    assert read(multiple, "weights")[1] == ["sync-weights-only"]
    assert read(multiple, "half")[1] == ["sync-half-precision"]


def test_two_mistakes_are_both_named():
    """If `sync_target` makes two mistakes, both are named.

    The first example has wrong steps and wrong parameters. The second one returns wrong
    parameters at all steps: a mixture where θ_Q is right, and zeros where θ_T is right.
    """
    names = read(lambda s, p: s == p, "zeros")[1]
    assert names == ["sync-once", "sync-zeros"]
    assert read(multiple, "mixture", "zeros")[1] == [
        "polyak-at-period",
        "sync-not-kept",
    ]


def test_unknown_rules_get_no_name():
    """If θ_Q is returned at steps that follow no known rule, the mistake has no name.

    The reading lists these steps. If the returned parameters are unknown, there is no
    reading.
    """
    computes, names = read(lambda s, p: s % p == 0 and s >= 10)
    assert names == []
    assert "θ_Q at the steps [12]" in computes
    assert read(lambda s, p: True, "other") is None


def test_refused_answers_are_put_into_words():
    """If the grader refuses an answer of `sync_target`, the reading describes it."""
    none = Wrong("the returned theta_T is None: is a `return` missing?")
    assert refusal(none).words == "nothing (None)"
    line = "sync_target: TypeError: …\ndqn.py, line 3: return jax.tree.map(theta_Q, f)"
    assert refusal(Raised(line)).words == "an error in tree.map"
    assert "ValueError" in refusal(Raised("sync_target: ValueError: no")).words


@pytest.mark.parametrize(
    ("renews", "message", "names"),
    [
        (multiple, "no attribute 'copy'", ["sync-slide-copy"]),
        (lambda s, p: True, "no attribute 'copy'", ["sync-slide-copy"]),
        (lambda s, p: s == p, "no attribute 'copy'", ["sync-once", "sync-slide-copy"]),
        (lambda s, p: s > p, "ValueError", None),
        (multiple, "ValueError", None),
        (lambda s, p: s % p > 0, "ValueError", None),
    ],
)
def test_exceptions_stand_in_no_formula(renews, message, names):
    """If `sync_target` raises an exception, only known mistakes are told."""
    told = [
        replace(one, content=refusal(Raised(message))) if one.content == COPY else one
        for one in told_by(renews)
    ]
    found = explained(told)
    assert (found and [one.name for one in found.differences]) == names
    assert not found or (found.computes, found.asked, found.table) == ("", "", ())
