"""The mistakes that the reader of `sync_target` knows, with a hint for each.

A mistake is a wrong condition on the step, or wrong parameters that are returned as
θ_T. To add a condition, add an entry to `CONDITIONS`. A condition with a constant, such
as 100, belongs in `with_number`. To add parameters, add an entry to `RENEWED`.
"""

from collections.abc import Callable, Iterator

from grader.diagnosis.reading import Difference

TARGET = "(slides: Target Networks)"
REVIEW = "(slides: Deep Learning Review)"

Condition = Callable[[int, int], bool]
Choice = tuple[str, Difference, Condition]

ITSELF = f"Renew when step itself is a multiple of period {TARGET}."
FROM_THEN_ON = Difference(
    "sync-from-then-on",
    "Once the period has passed you renew at each step. Look at multiples of the "
    f"period, not at whether it has passed {TARGET}.",
)
FIRST_PERIOD = Difference(
    "sync-first-period",
    "You renew all through the first period and never after it, as with //: it asks "
    f"how many periods have passed, not what is left over {TARGET}.",
)
OTHER_PERIOD = Difference(
    "sync-other-period",
    "You renew at the multiples of another number than the period. Look at the "
    f"multiples of `period` itself {TARGET}.",
)
SINCE_LAST = Difference(
    "sync-since-last",
    "You go by your last renewal, remembered outside the function. The answer depends "
    f"on this call's arguments alone: is step a multiple of period? {TARGET}.",
)
COUNTS_CALLS = Difference(
    "sync-counts-calls",
    "You go by the number of your calls and ignore `step`. The answer depends on the "
    f"arguments alone: asked twice for one step, it is the same {TARGET}.",
)

# The same condition can be written with step + 1 or with period - 1, so these hints do
# not say what is added or subtracted.
ONE_LATE = Difference("sync-one-late", f"You renew one step late. {ITSELF}")
ONE_EARLY = Difference("sync-one-early", f"You renew one step early. {ITSELF}")

REMEMBERS = Difference(
    "sync-remembers",
    "Your answer to one question depends on the questions before it, as when something "
    f"is kept from one call to the next. The arguments alone decide {TARGET}.",
)

# Each entry: the condition as a formula, the mistake, and the condition as a function.
CONDITIONS: list[Choice] = [
    (
        "step is no multiple of period",
        Difference(
            "sync-reversed",
            "Your two cases are swapped: θ_T is kept when it should be renewed, and "
            f"renewed at all other steps {TARGET}.",
        ),
        lambda step, period: step % period != 0,
    ),
    (
        "step > 0 and step is a multiple of period",
        Difference(
            "sync-not-at-0",
            "At step 0 you keep the old θ_T. 0 is a multiple of every period: training "
            f"starts with a copy {TARGET}.",
        ),
        lambda step, period: step > 0 and step % period == 0,
    ),
    ("step ≥ period", FROM_THEN_ON, lambda step, period: step >= period),
    ("step > period", FROM_THEN_ON, lambda step, period: step > period),
    (
        "step = period",
        Difference(
            "sync-once",
            "You renew once, when step reaches the period, and never again. It is done "
            f"at every multiple of the period {TARGET}.",
        ),
        lambda step, period: step == period,
    ),
    (
        "step = 0",
        Difference(
            "sync-at-start-only",
            "You renew at step 0 and never again. It is done at every multiple of the "
            f"period {TARGET}.",
        ),
        lambda step, period: step == 0,
    ),
    ("step < period", FIRST_PERIOD, lambda step, period: step < period),
    ("step ≤ period", FIRST_PERIOD, lambda step, period: step <= period),
    ("step % period = 1", ONE_LATE, lambda step, period: step % period == 1),
    ("(step - 1) % period = 0", ONE_LATE, lambda s, period: (s - 1) % period == 0),
    ("(step + 1) % period = 0", ONE_EARLY, lambda s, period: (s + 1) % period == 0),
    (
        "period is a multiple of step",
        Difference(
            "sync-operands-swapped",
            "You divide the period by the step, so step 0 fails and only divisors of "
            f"the period count. step has to be a multiple of period {TARGET}.",
        ),
        lambda step, period: period % step == 0,
    ),
    (
        "step > 0 and period is a multiple of step",
        Difference(
            "sync-operands-swapped",
            "You divide the period by the step, so only divisors of the period count. "
            f"step has to be a multiple of period {TARGET}.",
        ),
        lambda step, period: step > 0 and period % step == 0,
    ),
    (
        "step & (period - 1) = 0",
        Difference(
            "sync-powers-of-two",
            "You find the multiples only if the period is a power of two, as a test "
            f"with & does. Any period is possible: look at the remainder {TARGET}.",
        ),
        lambda step, period: step & (period - 1) == 0,
    ),
    ("step % (period + 1) = 0", OTHER_PERIOD, lambda s, period: s % (period + 1) == 0),
    ("step % (period - 1) = 0", OTHER_PERIOD, lambda s, period: s % (period - 1) == 0),
    ("step % (2 period) = 0", OTHER_PERIOD, lambda s, period: s % (2 * period) == 0),
    (
        "step > 0 and step % (2 period) = 0",
        OTHER_PERIOD,
        lambda s, period: s > 0 and s % (2 * period) == 0,
    ),
    (
        "step // period is even",
        Difference(
            "sync-every-other-period",
            "You renew all through every other period. The multiples of the period "
            f"alone are meant, not the steps between them {TARGET}.",
        ),
        lambda step, period: step // period % 2 == 0,
    ),
]


def with_number(c: int) -> Iterator[Choice]:
    """Yield wrong conditions with a constant; some of them also use the period.

    Args:
        c: the constant, at least 2.

    Yields:
        The condition as a formula, the mistake, and the condition as a function of step
        and period.
    """
    yield (
        f"step is a multiple of {c}",
        Difference(
            "sync-fixed-period",
            f"You renew by a fixed number, {c}, whatever `period` is. Use the argument "
            f"{TARGET}.",
        ),
        lambda step, period: step % c == 0,
    )
    yield (
        f"step > 0 and step is a multiple of {c}",
        Difference(
            "sync-fixed-period",
            f"You renew by a fixed number, {c}, whatever `period` is, and not at step "
            f"0. Use the argument; 0 is a multiple like any other {TARGET}.",
        ),
        lambda step, period: step > 0 and step % c == 0,
    )
    yield (
        f"step is a multiple of period and of {c}",
        Difference(
            "sync-nested",
            "You renew only at steps that are multiples of another number too. Every "
            f"multiple of the period counts; step is already the count of updates "
            f"{TARGET}.",
        ),
        lambda step, period: step % c == 0 and step % period == 0,
    )
    yield (
        f"step is a multiple of period or of {c}",
        Difference(
            "sync-also-at",
            f"You renew at the multiples of {c}, too. Only the multiples of the period "
            f"count {TARGET}.",
        ),
        lambda step, period: step % c == 0 or step % period == 0,
    )


# ---------------------------------------------------------------- contents

# The mistakes in what is returned when θ_T is replaced. The keys describe the returned
# parameters, as `Content.words` does.
RENEWED = {
    "zeros": Difference(
        "sync-zeros",
        "Where you renew, you return zeros in the shapes of θ_Q. Its numbers are "
        f"wanted, not only its shapes {TARGET}.",
    ),
    "weights of θ_Q, biases of θ_T": Difference(
        "sync-weights-only",
        "You renew the weight matrices but keep the old biases. A copy of θ_Q has all "
        f"of its arrays {TARGET}.",
    ),
    "new numbers": Difference(
        "sync-new-random",
        "Where you renew, you return numbers that depend on neither θ_Q nor θ_T. θ_T "
        f"is an older copy of θ_Q: the same numbers {TARGET}.",
    ),
    "θ_Q rounded to 16 bits": Difference(
        "sync-half-precision",
        "Your copy is rounded to 16 bits. θ_T has to be θ_Q number by number, in "
        f"float32 {TARGET}.",
    ),
    "nothing (None)": Difference(
        "sync-no-return",
        "Where you renew, you return nothing. The parameters of the next updates are "
        f"the result: return a copy of θ_Q {TARGET}.",
    ),
    "an AttributeError for .copy()": Difference(
        "sync-slide-copy",
        "θ_Q is a tree of arrays and has no `copy`. `return theta_Q` is enough; "
        f"`jax.tree.map(jnp.copy, theta_Q)` copies each leaf {TARGET}.",
    ),
    "an error in tree.map": Difference(
        "sync-tree-map-swapped",
        "The slide has jax.tree.map's arguments in the wrong order: the function comes "
        f"first, then the tree {REVIEW}.",
    ),
}
OF_THETA_Q = ("weights of θ_Q, biases of θ_T", "θ_Q rounded to 16 bits")
PARTS = Difference(
    "sync-some-arrays",
    "Where you renew, only some of the arrays become θ_Q's, the others stay θ_T's. A "
    f"copy of θ_Q has all of its arrays {TARGET}.",
)
MIXES_AT_PERIOD = Difference(
    "polyak-at-period",
    "Where you renew, you mix θ_Q into θ_T. Here the whole of θ_T is "
    f"replaced then {TARGET}.",
)
SCALED = Difference(
    "sync-scaled",
    "Where you renew, you return a multiple or a sum of parameters. A copy of θ_Q is "
    f"wanted: the same numbers {TARGET}.",
)
MIXES_BETWEEN = Difference(
    "polyak-plus-hard",
    "Where θ_T should stay, you mix θ_Q into it. At these steps it has to stay as it "
    f"was, so that the labels stand still {TARGET}.",
)
NO_ELSE = Difference(
    "sync-no-else",
    "Where you do not renew, you return nothing. θ_T as it was is the answer there: "
    f"the loop uses it for the next updates {TARGET}.",
)
NOT_KEPT = Difference(
    "sync-not-kept",
    "Where you do not renew, you return something else than θ_T. At these steps θ_T is "
    f"the answer, as it was {TARGET}.",
)
BOTH = Difference(
    "sync-returns-both",
    "You return more than one tree of parameters. The one result is the θ_T of the "
    f"next updates; θ_Q is not changed by a sync {TARGET}.",
)
NEVER = Difference(
    "sync-never",
    "θ_T never changes, so the labels stay those of the untrained network. Every "
    f"`period` updates it becomes a copy of θ_Q {TARGET}.",
)
EVERY = Difference(
    "sync-every",
    "θ_T is renewed at each step, so the label moves with what is trained. Between "
    f"multiples of `period` it stays as it was {TARGET}.",
)
POLYAK = Difference(
    "polyak-every",
    "You mix θ_Q into θ_T at every step, another way to move a target. "
    f"Here θ_T is replaced at multiples of `period`, else untouched {TARGET}.",
)
POLYAK_SWAPPED = Difference(
    "polyak-swapped",
    "At every step you make θ_T almost θ_Q: a mixture with its shares swapped. No "
    f"mixing here: a copy at multiples of `period`, else θ_T as it was {TARGET}.",
)
SAME_ALWAYS = Difference(
    "sync-same-always",
    "You do the same at every step. At multiples of `period` a copy of θ_Q is asked "
    f"for, else θ_T as it was {TARGET}.",
)
DONATES = Difference(
    "sync-donates",
    "Your sync deletes arrays that it was given, as when they are donated to jax.jit. "
    f"The caller may still need them {TARGET}.",
)
