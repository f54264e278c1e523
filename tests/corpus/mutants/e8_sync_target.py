"""Exercise 8: what goes wrong when θ_T is renewed."""

from tests.corpus.mutants.definition import Mutant, changed, rewritten

PART = "sync_target"
TARGET = "(slides: Target Networks)"
LOOP = "(slides: Deep Q Networks)"
REVIEW = "(slides: Deep Learning Review)"

CONDITION = "step % period == 0"
COPY = "jax.tree.map(jnp.copy, theta_Q)"


def when(
    id: str, severity: str, misconception: str, hint: str, condition: str
) -> Mutant:
    """Return a mutant that renews θ_T under another condition."""
    return changed(PART, id, severity, misconception, hint, (CONDITION, condition))


def renewed(id: str, severity: str, misconception: str, hint: str, tree: str) -> Mutant:
    """Return a mutant that renews θ_T at the right steps, but by another expression."""
    return changed(PART, id, severity, misconception, hint, (COPY, tree))


SCHEDULES = [
    when(
        "sync-never",
        "F",
        "never renews",
        "θ_T never changes, so the labels stay those of the untrained network. Every "
        f"`period` updates it becomes a copy of θ_Q {TARGET}.",
        "False",
    ),
    when(
        "sync-every",
        "S",
        "renews at each step",
        "θ_T is renewed at each step, so the label moves with what is trained. Between "
        f"multiples of `period` it stays as it was {TARGET}.",
        "True",
    ),
    when(
        "sync-reversed",
        "D",
        "the two cases swapped",
        "Your two cases are swapped: θ_T is kept when it should be renewed, and "
        f"renewed at all other steps {TARGET}.",
        "step % period != 0",
    ),
    when(
        "sync-not-at-0",
        "S",
        "not at step 0",
        "At step 0 you keep the old θ_T. 0 is a multiple of every period: training "
        f"starts with a copy {LOOP}.",
        "step > 0 and step % period == 0",
    ),
    when(
        "sync-from-then-on",
        "S",
        "at each step from the first period on",
        "From the first period on you renew at each step. Look at multiples of the "
        f"period, not at whether it has passed {TARGET}.",
        "step >= period",
    ),
    when(
        "sync-once",
        "F",
        "once only",
        "You renew once, when step reaches the period, and never again. It is done at "
        f"every multiple of the period {TARGET}.",
        "step == period",
    ),
    when(
        "sync-first-period",
        "F",
        "// for %",
        "You renew all through the first period and never after it, as with //: it "
        f"asks how many periods have passed, not what is left over {TARGET}.",
        "step // period == 0",
    ),
    when(
        "sync-one-late",
        "S",
        "one step late",
        "You renew one step late: after 1, period + 1, and so on (with period 1 "
        f"never). The multiples themselves are meant, 0 included {LOOP}.",
        "step % period == 1",
    ),
    when(
        "sync-one-early",
        "S",
        "one step early",
        "You renew one step early, as if step were counted from 1. It counts from 0, "
        f"and the multiples themselves are meant {LOOP}.",
        "(step + 1) % period == 0",
    ),
    when(
        "sync-operands-swapped",
        "X",
        "period % step",
        "You divide the period by the step, so step 0 fails and only divisors of the "
        f"period count. step has to be a multiple of period {TARGET}.",
        "period % step == 0",
    ),
    when(
        "sync-fixed-period",
        "D",
        "200 whatever the period",
        "You renew by a fixed number, like the slides' 200, whatever `period` is. Use "
        f"the argument {TARGET}.",
        "step % 200 == 0",
    ),
    when(
        "sync-powers-of-two",
        "S",
        "right for periods 1, 2, 4, 8 …",
        "You find the multiples only if the period is a power of two, as a test with "
        f"& does. Any period is possible: look at the remainder {TARGET}.",
        "step & (period - 1) == 0",
    ),
    when(
        "sync-nested",
        "S",
        "within another schedule",
        "You renew only at steps that are multiples of another number too. Every "
        f"multiple of the period counts; step is already the count of updates {LOOP}.",
        "step % 4 == 0 and step % period == 0",
    ),
    rewritten(
        PART,
        "sync-counts-calls",
        "S",
        "counts its calls",
        "You go by the number of your calls and ignore `step`. The answer depends on "
        f"the arguments alone: asked twice for one step, it is the same {LOOP}.",
        """
calls = -1


def sync_target(theta_Q, theta_T, step, period):
    global calls
    calls += 1
    return theta_Q if calls % period == 0 else theta_T
""",
    ),
    rewritten(
        PART,
        "sync-since-last",
        "S",
        "counts from its last renewal",
        "You go by your last renewal, remembered outside the function. The answer "
        "depends on this call's arguments alone: is step a multiple of period? "
        f"{LOOP}.",
        """
last_sync = None


def sync_target(theta_Q, theta_T, step, period):
    global last_sync
    if last_sync is None or step - last_sync >= period:
        last_sync = step
        return theta_Q
    return theta_T
""",
    ),
    rewritten(
        PART,
        "sync-remembers",
        "S",
        "counts from a renewal at step 0",
        "Your answer to one question depends on the questions before it, as when "
        "something is kept from one call to the next. The arguments alone decide "
        f"{TARGET}.",
        """
last_sync = 0


def sync_target(theta_Q, theta_T, step, period):
    global last_sync
    if step - last_sync >= period:
        last_sync = step
        return theta_Q
    return theta_T
""",
    ),
]

CONTENTS = [
    renewed(
        "sync-new-random",
        "F",
        "new random parameters",
        "At a multiple of the period you return newly drawn parameters. θ_T is an "
        f"older copy of θ_Q: the same numbers {TARGET}.",
        "jax.tree.map(\n"
        "        lambda w: jax.random.normal(jax.random.key(step), w.shape), theta_Q\n"
        "    )",
    ),
    renewed(
        "sync-zeros",
        "F",
        "zeros in the right shapes",
        "At a multiple of the period you return zeros in the shapes of θ_Q. Its "
        f"numbers are wanted, not only its shapes {TARGET}.",
        "jax.tree.map(jnp.zeros_like, theta_Q)",
    ),
    renewed(
        "sync-weights-only",
        "F",
        "copies the weights, not the biases",
        "You renew the weight matrices but keep the old biases. A copy of θ_Q has all "
        f"of its arrays {TARGET}.",
        "jax.tree.map(lambda q, t: q if q.ndim > 1 else t, theta_Q, theta_T)",
    ),
    renewed(
        "sync-half-precision",
        "S",
        "a copy in half precision",
        "Your copy is rounded to 16 bits. θ_T has to be θ_Q number by number, in "
        f"float32 {TARGET}.",
        "jax.tree.map(lambda w: w.astype(jnp.float16), theta_Q)",
    ),
    renewed(
        "polyak-at-period",
        "F",
        "mixes at multiples of the period",
        "At a multiple of the period you mix a little of θ_Q into θ_T. Here the whole "
        f"of θ_T is replaced then {TARGET}.",
        "jax.tree.map(lambda q, t: 0.1 * q + 0.9 * t, theta_Q, theta_T)",
    ),
    renewed(
        "sync-slide-copy",
        "X",
        "the slide's .copy()",
        "The slide's .copy() is an array's; θ_Q is a tree of arrays and has none. Copy "
        f"each of its leaves {REVIEW}.",
        "theta_Q.copy()",
    ),
    renewed(
        "sync-tree-map-swapped",
        "X",
        "tree.map with its arguments swapped",
        "The slide has jax.tree.map's arguments in the wrong order: the function comes "
        f"first, then the tree {REVIEW}.",
        "jax.tree.map(theta_Q, jnp.copy)",
    ),
]

RESULTS = [
    changed(
        PART,
        "polyak-every",
        "S",
        "mixes at every step",
        "You mix a little of θ_Q into θ_T at every step, another way to move a target. "
        f"Here θ_T is replaced at multiples of `period`, else untouched {TARGET}.",
        (f"{COPY} if {CONDITION} else theta_T", ""),
        (
            "return ",
            "return jax.tree.map(lambda q, t: 0.005 * q + 0.995 * t, theta_Q, theta_T)",
        ),
    ),
    changed(
        PART,
        "polyak-swapped",
        "F",
        "mixes at every step, shares swapped",
        "At every step you make θ_T almost θ_Q: a mixture with its shares swapped. No "
        f"mixing here: a copy at multiples of `period`, else θ_T as it was {TARGET}.",
        (f"{COPY} if {CONDITION} else theta_T", ""),
        (
            "return ",
            "return jax.tree.map(lambda q, t: 0.995 * q + 0.005 * t, theta_Q, theta_T)",
        ),
    ),
    changed(
        PART,
        "polyak-plus-hard",
        "S",
        "a copy, and mixes in between",
        "Your copies are right, but in between you mix θ_Q into θ_T. At these steps "
        f"θ_T has to stay as it was, so that the labels stand still {TARGET}.",
        (
            "else theta_T",
            "else jax.tree.map(\n"
            "        lambda q, t: 0.005 * q + 0.995 * t, theta_Q, theta_T\n"
            "    )",
        ),
    ),
    changed(
        PART,
        "sync-no-else",
        "X",
        "None in between",
        "Between the multiples of the period you return nothing. θ_T as it was is the "
        f"answer there: the loop uses it for the next updates {LOOP}.",
        ("else theta_T", "else None"),
    ),
    changed(
        PART,
        "sync-returns-both",
        "X",
        "returns θ_Q too",
        "You return θ_Q as well. The one result is the θ_T of the next updates; θ_Q "
        f"is not changed by a sync {LOOP}.",
        ("return ", "return theta_Q, "),
    ),
    rewritten(
        PART,
        "sync-donates",
        "X",
        "donates θ_T to jit",
        "Your sync deletes the arrays of θ_T that it was given: they are donated to "
        f"jax.jit. The caller may still need them {LOOP}.",
        """
right = sync_target
sync_target = jax.jit(
    lambda theta_Q, theta_T, step, period: jax.tree.map(
        jnp.copy, right(theta_Q, theta_T, step, period)
    ),
    static_argnums=(2, 3),
    donate_argnums=1,
)
""",
    ),
]

MUTANTS = [*SCHEDULES, *CONTENTS, *RESULTS]
