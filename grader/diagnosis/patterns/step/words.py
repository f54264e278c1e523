"""The mistakes that the reader of `td_update` knows, with a hint for each."""

from grader.diagnosis.reading import Difference

REVIEW = "(slides: Deep Learning Review)"
TARGET = "(slides: Target Networks)"
LOOP = "(slides: Deep Q Networks)"

# The gradient
TARGET_IS_ONLINE = Difference(
    "up-target-is-online",
    "θ_T makes no difference to your step: θ_Q is handed to the loss in its place. The "
    f"labels are the older parameters' {TARGET}.",
)
SWAPPED = Difference(
    "up-theta-swapped",
    "You hand θ_T and θ_Q to the loss in the wrong order: the gradient is that of "
    f"θ_T's predictions. θ_Q predicts and is trained, θ_T labels {TARGET}.",
)
GRADIENT_OF_TARGET = Difference(
    "up-gradient-of-target",
    "You differentiate the loss in θ_T, its second argument. It is θ_Q that is "
    f"trained; θ_T stands still {TARGET}.",
)
LABEL_TRAINED = Difference(
    "up-label-trained",
    "θ_Q stands in the place of the labels' parameters, and the loss is differentiated "
    f"there. θ_Q predicts and is trained, θ_T labels {TARGET}.",
)
PREDICTS_TARGET = Difference(
    "up-theta-T-in-both",
    "θ_T stands in both places of the loss, so θ_Q makes no difference to the "
    f"gradient. θ_Q predicts and is trained, θ_T labels {TARGET}.",
)
THROUGH_LABEL = Difference(
    "up-through-label",
    "θ_Q stands in both places of the loss, and the gradient goes through the labels, "
    f"too. The labels are the older parameters', and stand still {TARGET}.",
)
BOTH_PLACES = Difference(
    "up-both-gradients",
    "You add the gradient in θ_T to that in θ_Q. θ_Q alone is trained; θ_T stands "
    f"still {TARGET}.",
)
FIRST_ROW = Difference(
    "up-first-transition",
    "Only the first transition of the batch counts in your step. The loss is the mean "
    f"over all of them {REVIEW}.",
)


def own_gamma(gamma: float) -> Difference:
    """Return the mistake "a constant discount replaces the argument gamma".

    Args:
        gamma: the constant.
    """
    return Difference(
        "up-gamma-constant",
        f"Your step takes γ = {gamma:.4g} where another one was passed in. Hand the "
        "argument on to the loss (slides: Deep Q Learning).",
    )


OTHER_LOSS = Difference(
    "up-other-loss",
    "Your step is one on another loss than td_loss of θ_Q, θ_T and this batch. "
    f"Differentiate td_loss of these, so that there is one loss {REVIEW}.",
)
CLIPS_VALUES = Difference(
    "up-clips-values",
    "You clip the gradient's entries before the optimizer sees them. Whether to clip "
    f"is the optimizer's affair: hand it the gradient as it is {REVIEW}.",
)
CLIPS_NORM = Difference(
    "up-clips-norm",
    "You shorten large gradients before the optimizer sees them. Whether to clip is "
    f"the optimizer's affair: hand it the gradient as it is {REVIEW}.",
)
NORMALISED = Difference(
    "up-normalises",
    "Your gradient has the same length whatever the error is, so steps do not shrink "
    f"near the optimum. Hand the optimizer the gradient as it is {REVIEW}.",
)
SIGNS = Difference(
    "up-signs",
    "Of the gradient you use the signs alone. How large its entries are counts, too: "
    f"hand the optimizer the gradient as it is {REVIEW}.",
)
DECAY = Difference(
    "up-weight-decay",
    "You add a multiple of θ_Q to the gradient, as an L2 penalty in the loss does. "
    f"There is none in td_loss; weight decay is the optimizer's affair {REVIEW}.",
)
SOME_ARRAYS = Difference(
    "up-some-arrays",
    "Some arrays of θ_Q are not trained: their gradient is zero. All of them take part "
    f"in the step {REVIEW}.",
)
BY_BATCH = Difference(
    "up-divides-by-batch",
    "You divide the gradient by B, but the loss is a mean already. Hand the gradient "
    f"on as it is {REVIEW}.",
)
SUMS = Difference(
    "up-sums-gradients",
    "You multiply the gradient by B, as a sum over the batch does. The loss is a mean: "
    f"hand its gradient on as it is {REVIEW}.",
)
ASCENDS = Difference(
    "up-ascends",
    "You hand the optimizer minus the gradient, and so climb the loss. The optimizer "
    f"puts the minus: hand it the gradient as it is {REVIEW}.",
)
FACTOR = Difference(
    "up-scaled-gradient",
    "The gradient that your step follows is a multiple of the right one. Hand the "
    f"gradient of td_loss on as it is {REVIEW}.",
)

# The optimizer and its state
REINIT = Difference(
    "up-opt-reinit",
    "You make a new optimizer state at each step, so Adam's averages never build up. "
    f"Go on from the opt_state that is passed in {REVIEW}.",
)
OLD_STATE = Difference(
    "up-old-state",
    "The opt_state that came in is returned as it was, so Adam stays at its first "
    "step. The state to be returned is the one that the optimizer hands back "
    f"{REVIEW}.",
)
FRESH_STATE = Difference(
    "up-fresh-state",
    "You return a new optimizer state, as before the first step. Return the one that "
    f"the optimizer hands back {REVIEW}.",
)
NO_PARAMS = Difference(
    "up-no-params",
    "You do not hand the optimizer the parameters. Adam does without, but AdamW's "
    f"weight decay needs to know θ_Q: look at what else `update` takes {REVIEW}.",
)
PARAMS_TARGET = Difference(
    "up-params-target",
    "You hand θ_T to the optimizer as its params, so AdamW decays by the wrong "
    f"weights. params are the parameters being trained {REVIEW}.",
)
OTHER_PARAMS = Difference(
    "up-other-params",
    "AdamW decays by other weights than θ_Q. The optimizer's params are the parameters "
    f"being trained, as they were before the step {REVIEW}.",
)
OWN_OPTIMIZER = Difference(
    "up-own-optimizer",
    "Your step fails with plain gradient descent: it reads a field that the state of "
    "this optimizer does not have, or hands the state to another optimizer. Use the "
    f"optimizer that is passed in, and its state as a whole {REVIEW}.",
)
BY_HAND = Difference(
    "up-by-hand",
    "You do gradient descent with a rate of your own; optimizer and opt_state have no "
    f"effect. The optimizer turns the gradient into the step {REVIEW}.",
)
GLOBAL_STATE = Difference(
    "up-global-state",
    "You go on from the state of your last call and ignore the argument opt_state; "
    f"under jit that leaks a tracer. Go on from the opt_state passed in {REVIEW}.",
)
STALE = Difference(
    "up-stale-closure",
    "A call uses what the first call was given: something is made once and kept. All "
    f"that changes must come in as an argument {REVIEW}.",
)
SIDE_EFFECTS = Difference(
    "up-side-effects",
    "Asked the same twice, your step is another one: it changes from call to call. A "
    f"step depends on the arguments alone; schedules are the optimizer's {REVIEW}.",
)

# The step and what is returned
RETURNS_OLD = Difference(
    "up-returns-old",
    "θ_Q comes back as it went in. Applying updates changes nothing in place: it "
    f"returns new parameters, which have to be kept {REVIEW}.",
)
RETURNS_TARGET = Difference(
    "up-returns-target",
    f"θ_T comes back in the place of θ_Q. θ_Q takes the step and is returned {TARGET}.",
)
RETURNS_UPDATES = Difference(
    "up-returns-updates",
    "You return the updates as the new θ_Q. They are only the step: it has to be added "
    f"to the parameters {REVIEW}.",
)
RETURNS_GRADIENT = Difference(
    "up-returns-gradient",
    "You return the gradient as the new θ_Q. The optimizer makes updates of it, and "
    f"these are applied to the parameters {REVIEW}.",
)
ADDS_GRADIENT = Difference(
    "up-adds-gradient",
    "You add the gradient itself to θ_Q: uphill and at full size. The optimizer's "
    f"updates, with sign and rate in them, are what is to be applied {REVIEW}.",
)
GRADIENT_APPLIED = Difference(
    "up-applies-gradient",
    "You apply a multiple of the gradient to θ_Q. The optimizer's updates, with sign "
    f"and rate in them, are what is to be applied {REVIEW}.",
)
SUBTRACTS = Difference(
    "up-subtracts-updates",
    "You subtract the updates, and so climb the loss. They carry their minus already: "
    f"optax's updates are added {REVIEW}.",
)
CLIMBS = Difference(
    SUBTRACTS.name,
    f"You climb the loss: θ_Q moves along the gradient, and not against it {REVIEW}.",
)
FROM_TARGET = Difference(
    "up-steps-from-target",
    "Your step starts from θ_T, so what θ_Q has learned since the last sync is lost "
    f"each time. θ_Q itself takes the step {TARGET}.",
)
TWO_STEPS = Difference(
    "up-two-steps",
    "You take more than one optimizer step in one call. td_update takes one on each "
    f"batch; the training loop repeats it {LOOP}.",
)
APPLIED_TWICE = Difference(
    "up-applied-twice",
    "Your step is twice as long as the optimizer's, as when the updates are added two "
    f"times. They are applied once {REVIEW}.",
)
SCALED_STEP = Difference(
    "up-scaled-step",
    "Your step is a multiple of the optimizer's. Its updates are added to θ_Q as they "
    f"are {REVIEW}.",
)
LOSS_AFTER = Difference(
    "up-loss-after",
    "You return the loss of the new θ_Q. The loss before the step is asked for, the "
    f"one whose gradient you took {REVIEW}.",
)
LOSS_OF_TARGET = Difference(
    "up-loss-of-target",
    "The loss that you return is θ_T's. The step is taken on θ_Q's loss, and that one "
    f"is returned {TARGET}.",
)
OTHER_PLACES = Difference(
    "up-loss-other-places",
    "The loss that you return has other parameters in its places than θ_Q and θ_T. The "
    f"one whose gradient you take is asked for {TARGET}.",
)
LOSS_SCALED = Difference(
    "up-loss-scaled",
    "The loss that you return is a multiple of td_loss. Return td_loss as it is, "
    f"before the step {REVIEW}.",
)
# The mistakes of the loss that is returned; the step itself may be right.
OF_LOSS = (LOSS_AFTER, LOSS_OF_TARGET, OTHER_PLACES, LOSS_SCALED)

# Mistakes that raise an exception: a regular expression for the message, what the
# hand-in does in words, and the mistake.
REFUSALS: list[tuple[str, str, Difference]] = [
    (
        r"td_update's theta_Q is not .*it has 1 array, expected [2-9]",
        "your first result is a single array, where θ_Q is asked",
        Difference(
            "up-loss-first",
            "Your first result is a single array, as the loss is. The training loop "
            f"takes the results as theta_Q, opt_state, loss {LOOP}.",
        ),
    ),
    (
        r"td_update returned a tuple of 2,",
        "two results",
        Difference(
            "up-two-results",
            "One of the three results is missing (the slides' loop drops opt_state). "
            "The new state must survive to the next step, and the loss is shown: "
            f"return theta_Q, opt_state, loss {REVIEW}.",
        ),
    ),
    (
        r"td_update's theta_Q is not .*it has (\d+) arrays and \d+ other lea\w+, "
        r"expected \1",
        "your first result holds functions beside the arrays of θ_Q",
        Difference(
            "up-returns-network",
            "Your first result holds more than arrays, as the network put together "
            "does. The next update needs its parameters alone, the same kind of tree "
            f"as the theta_Q that came in {REVIEW}.",
        ),
    ),
    (
        r"td_update's opt_state is not .*it has 1 array, expected",
        "your second result is a single array, where opt_state is asked",
        Difference(
            "up-order",
            "Your second result is a single array, as the loss is. The training loop "
            f"takes the results as theta_Q, opt_state, loss {LOOP}.",
        ),
    ),
    (
        r"td_update's theta_Q is not .*it has 9 arrays, expected 4",
        "your first result has as many arrays as Adam's state, where θ_Q is asked",
        Difference(
            "up-order",
            "Your first result has as many arrays as the optimizer's state. The "
            "training loop takes the results as theta_Q, opt_state, loss "
            f"{LOOP}.",
        ),
    ),
    (
        r"td_update returned a tuple of [4-9],",
        "more than three results",
        Difference(
            "up-too-many-results",
            "You return more than is asked. The training loop takes three results, "
            f"theta_Q, opt_state, loss; θ_T is not among them {LOOP}.",
        ),
    ),
    (
        r"not passing `params` when calling `update`",
        "the optimizer's update is called without the parameters",
        NO_PARAMS,
    ),
    (
        r"\b(tree\.map|tree_map|tree_multimap)\(\s*theta_[QT]\b",
        "jax.tree.map gets a tree where the function is asked",
        Difference(
            "up-tree-map-swapped",
            "The slide has jax.tree.map's arguments in the wrong order: the function "
            f"comes first, then the trees {REVIEW}.",
        ),
    ),
    (
        r"unsupported operand .*\n?.*\boptimizer\.update\(",
        "what the optimizer gets as gradient is no tree like θ_Q",
        Difference(
            "up-gradient-no-tree",
            "What you hand to the optimizer as the gradient is no tree like θ_Q. "
            f"jax.value_and_grad returns two results: the value comes first {REVIEW}.",
        ),
    ),
    (
        r"(?s)pytree structure error.*apply_updates\(",
        "what is applied to θ_Q is no tree of its kind",
        Difference(
            "up-applies-other-tree",
            "What you apply to θ_Q is no tree of its kind. The optimizer's update "
            f"returns two results: the updates come first, then the state {REVIEW}.",
        ),
    ),
    (
        r"passed to the function at path (model|optimizer)",
        "jax.jit traces model or optimizer, which hold functions",
        Difference(
            "up-jits-everything",
            "You put jax.jit on a function that takes model or optimizer, but these "
            f"hold functions, no arrays. They are static: jit must not trace them "
            f"{REVIEW}.",
        ),
    ),
    (
        r"(?s)is not a valid JAX type.*grad\(.*eqx\.combine\(",
        "the gradient in the whole network, functions included",
        Difference(
            "up-whole-model",
            "You differentiate in the whole network, functions included. The gradient "
            "is taken in theta_Q, the parameters alone; model stays out of it "
            f"{REVIEW}.",
        ),
    ),
    (
        r"problem arose with the `float` function|occurred in the item\(\) method",
        "a float() of a traced value, which fails under jax.jit",
        Difference(
            "up-python-float",
            "Turning a traced value into a Python float fails under jit, where it has "
            f"no value yet. Return the JAX scalar {REVIEW}.",
        ),
    ),
]
DONATES = Difference(
    "up-donates",
    "Your step deletes arrays that it was given, as when they are donated to jax.jit. "
    f"The caller still has them, θ_T may be the same ones as θ_Q {REVIEW}.",
)
