"""Exercise 7: what goes wrong in the optimizer's step."""

from tests.corpus.mutants.definition import changed, rewritten

PART = "td_update"
REVIEW = "(slides: Deep Learning Review)"
TARGET = "(slides: Target Networks)"
LOOP = "(slides: Deep Q Networks)"

OPTIMIZE = "optimizer.update(grads, opt_state, theta_Q)"
STEP = f"updates, opt_state = {OPTIMIZE}"
APPLY = "theta_Q = eqx.apply_updates(theta_Q, updates)"
RETURN = "return theta_Q, opt_state, loss"

# The gradient
GRADIENTS = [
    changed(
        PART,
        "up-target-is-online",
        "D",
        "θ_Q for θ_T in the loss",
        "θ_T makes no difference to your step: you hand θ_Q to the loss in its place. "
        f"The labels are the older parameters' {TARGET}.",
        ("(theta_Q, theta_T, model", "(theta_Q, theta_Q, model"),
    ),
    changed(
        PART,
        "up-theta-swapped",
        "F",
        "θ_Q and θ_T swapped in the loss",
        "You hand θ_T and θ_Q to the loss in the wrong order: the gradient is that of "
        f"θ_T's predictions. θ_Q predicts and is trained, θ_T labels {TARGET}.",
        ("(theta_Q, theta_T, model", "(theta_T, theta_Q, model"),
    ),
    changed(
        PART,
        "up-gradient-of-target",
        "F",
        "the gradient in θ_T",
        "You differentiate the loss in θ_T, its second argument. It is θ_Q that is "
        f"trained; θ_T stands still {TARGET}.",
        ("jax.value_and_grad(td_loss)", "jax.value_and_grad(td_loss, argnums=1)"),
    ),
    changed(
        PART,
        "up-gamma-constant",
        "S",
        "a γ of its own",
        "Your step takes 0.99 whatever γ it is given. Hand the argument on to the loss "
        "(slides: Deep Q Learning).",
        ("batch, gamma)", "batch, 0.99)"),
    ),
    changed(
        PART,
        "up-clips-values",
        "S",
        "clips the gradient's entries at 100",
        "You clip the gradient's entries before the optimizer sees them. Whether to "
        f"clip is the optimizer's affair: hand it the gradient as it is {REVIEW}.",
        (
            STEP,
            "grads = jax.tree.map(lambda g: jnp.clip(g, -100, 100), grads)\n"
            f"    {STEP}",
        ),
    ),
    changed(
        PART,
        "up-clips-norm",
        "S",
        "clips the gradient's norm at 10",
        "You shorten large gradients before the optimizer sees them. Whether to clip "
        f"is the optimizer's affair: hand it the gradient as it is {REVIEW}.",
        (
            STEP,
            "scale = jnp.minimum(1.0, 10.0 / optax.global_norm(grads))\n"
            f"    grads = jax.tree.map(lambda g: scale * g, grads)\n    {STEP}",
        ),
    ),
    changed(
        PART,
        "up-divides-by-batch",
        "S",
        "divides the gradient by B",
        "You divide the gradient by B, but the loss is a mean already. Hand the "
        f"gradient on as it is {REVIEW}.",
        (
            STEP,
            "B = len(batch.action)\n"
            f"    grads = jax.tree.map(lambda g: g / B, grads)\n    {STEP}",
        ),
    ),
    rewritten(
        PART,
        "up-other-loss",
        "S",
        "a loss of its own, not td_loss",
        "Your step is one on another loss than your td_loss. Differentiate td_loss "
        f"itself, so that there is one loss {REVIEW}.",
        """
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    def loss_of(theta_Q):
        Q, Q_target = eqx.combine(theta_Q, model), eqx.combine(theta_T, model)
        values = jax.vmap(Q)(batch.state)
        predicted = values[jnp.arange(len(batch.action)), batch.action]
        future = gamma * jax.vmap(Q_target)(batch.next_state).max(axis=1)
        target = batch.reward + (1 - batch.terminated) * future
        return optax.huber_loss(predicted, target).mean()

    loss, grads = jax.value_and_grad(loss_of)(theta_Q)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    return eqx.apply_updates(theta_Q, updates), opt_state, loss
""",
    ),
    rewritten(
        PART,
        "up-whole-model",
        "X",
        "differentiates the whole network",
        "You differentiate in the whole network, functions included. The gradient is "
        f"taken in theta_Q, the parameters alone; model stays out of it {REVIEW}.",
        """
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    def loss_of(net):
        theta, rest = eqx.partition(net, eqx.is_array)
        return td_loss(theta, theta_T, rest, batch, gamma)

    loss, grads = jax.value_and_grad(loss_of)(eqx.combine(theta_Q, model))
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    return eqx.apply_updates(theta_Q, updates), opt_state, loss
""",
    ),
    rewritten(
        PART,
        "up-jits-everything",
        "X",
        "jax.jit with model and optimizer as arguments",
        "You put jax.jit on the function as it is, but model and optimizer hold "
        f"functions, no arrays. They are static: jit must not trace them {REVIEW}.",
        """
@jax.jit
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    return eqx.apply_updates(theta_Q, updates), opt_state, loss
""",
    ),
]

# The optimizer and its state
STATES = [
    changed(
        PART,
        "up-opt-reinit",
        "F",
        "a new state at each step",
        "You make a new optimizer state at each step, so Adam's averages never build "
        f"up. Go on from the opt_state that is passed in {REVIEW}.",
        (OPTIMIZE, "optimizer.update(grads, optimizer.init(theta_Q), theta_Q)"),
    ),
    changed(
        PART,
        "up-old-state",
        "F",
        "returns the old state",
        "You return the opt_state that came in; the one that the optimizer hands back "
        f"is lost, so Adam stays at its first step {REVIEW}.",
        ("updates, opt_state =", "updates, _ ="),
    ),
    changed(
        PART,
        "up-no-params",
        "S",
        "no parameters for the optimizer",
        "You do not hand the optimizer the parameters. Adam does without, but AdamW's "
        f"weight decay needs to know θ_Q: look at what else `update` takes {REVIEW}.",
        (OPTIMIZE, OPTIMIZE.replace(", theta_Q", "")),
    ),
    changed(
        PART,
        "up-params-target",
        "S",
        "θ_T as the optimizer's parameters",
        "You hand θ_T to the optimizer as its params, so AdamW decays by the wrong "
        f"weights. params are the parameters being trained {REVIEW}.",
        (OPTIMIZE, OPTIMIZE.replace("theta_Q", "theta_T")),
    ),
    changed(
        PART,
        "up-own-optimizer",
        "S",
        "an optimizer of its own",
        "The optimizer passed in has no effect, as when another is made inside the "
        f"function, whose state may be of another kind. Use the argument {REVIEW}.",
        (STEP, f"optimizer = optax.adam(1e-3)\n    {STEP}"),
    ),
    changed(
        PART,
        "up-by-hand",
        "F",
        "gradient descent by hand",
        "You do gradient descent with a rate of your own; optimizer and opt_state have "
        f"no effect. The optimizer turns the gradient into the step {REVIEW}.",
        (STEP, "updates = jax.tree.map(lambda g: -1e-3 * g, grads)"),
    ),
    rewritten(
        PART,
        "up-global-state",
        "X",
        "keeps the state in a global variable",
        "You keep the optimizer's state in a global variable and ignore the argument; "
        f"under jit that leaks a tracer. Go on from the opt_state passed in {REVIEW}.",
        """
saved_state = None


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    global saved_state
    if saved_state is None:
        saved_state = optimizer.init(theta_Q)
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    updates, saved_state = optimizer.update(grads, saved_state, theta_Q)
    return eqx.apply_updates(theta_Q, updates), saved_state, loss
""",
    ),
    rewritten(
        PART,
        "up-stale-closure",
        "X",
        "a jitted step that keeps its first batch",
        "Your inner function is made once and keeps the optimizer, θ_T and batch of "
        f"the first call. All that changes must come in as an argument {REVIEW}.",
        """
step = None


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    global step
    if step is None:

        @jax.jit
        def step(theta_Q, opt_state):
            loss_and_grads = jax.value_and_grad(td_loss)
            loss, grads = loss_and_grads(theta_Q, theta_T, model, batch, gamma)
            updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
            return eqx.apply_updates(theta_Q, updates), opt_state, loss

    return step(theta_Q, opt_state)
""",
    ),
    rewritten(
        PART,
        "up-side-effects",
        "F",
        "counts its calls to lower the rate",
        "Your step shrinks with a count of the calls, which jit sees only once. A "
        f"step depends on the arguments alone; schedules are the optimizer's {REVIEW}.",
        """
num_updates = 0


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    global num_updates
    num_updates += 1
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    updates = jax.tree.map(lambda u: u * 0.9**num_updates, updates)
    return eqx.apply_updates(theta_Q, updates), opt_state, loss
""",
    ),
]

# The step and what is returned
RESULTS = [
    changed(
        PART,
        "up-returns-old",
        "F",
        "the new θ_Q thrown away",
        "θ_Q comes back as it went in. Applying updates changes nothing in place: it "
        f"returns new parameters, which have to be kept {REVIEW}.",
        (APPLY, APPLY.removeprefix("theta_Q = ")),
    ),
    changed(
        PART,
        "up-returns-updates",
        "F",
        "the updates for the parameters",
        "You return the updates as the new θ_Q. They are only the step: it has to be "
        f"added to the parameters {REVIEW}.",
        (APPLY, "theta_Q = updates"),
    ),
    changed(
        PART,
        "up-returns-gradient",
        "F",
        "the gradient for the parameters",
        "You return the gradient as the new θ_Q. The optimizer makes updates of it, "
        f"and these are applied to the parameters {REVIEW}.",
        (APPLY, "theta_Q = grads"),
    ),
    changed(
        PART,
        "up-adds-gradient",
        "F",
        "applies the gradient, not the updates",
        "You add the gradient itself to θ_Q: uphill and at full size. The optimizer's "
        f"updates, with sign and rate in them, are what is to be applied {REVIEW}.",
        (APPLY, APPLY.replace("updates)", "grads)")),
    ),
    changed(
        PART,
        "up-subtracts-updates",
        "F",
        "subtracts the updates",
        "You subtract the updates, and so climb the loss. They carry their minus "
        f"already: optax's updates are added {REVIEW}.",
        (APPLY, "theta_Q = jax.tree.map(lambda w, u: w - u, theta_Q, updates)"),
    ),
    changed(
        PART,
        "up-steps-from-target",
        "F",
        "steps from θ_T",
        "Your step starts from θ_T, so what θ_Q has learned since the last sync is "
        f"lost each time. θ_Q itself takes the step {TARGET}.",
        (APPLY, APPLY.replace("(theta_Q", "(theta_T")),
    ),
    changed(
        PART,
        "up-two-steps",
        "F",
        "two steps in one call",
        "You take two optimizer steps in one call. td_update takes one on each batch; "
        f"the training loop repeats it {LOOP}.",
        (
            RETURN,
            "_, grads = jax.value_and_grad(td_loss)("
            "theta_Q, theta_T, model, batch, gamma)\n"
            f"    {STEP}\n    {APPLY}\n    {RETURN}",
        ),
    ),
    changed(
        PART,
        "up-applied-twice",
        "F",
        "applies the updates twice",
        "Your step is twice as long as the optimizer's, as when the updates are added "
        f"two times. They are applied once {REVIEW}.",
        (APPLY, f"{APPLY}\n    {APPLY}"),
    ),
    changed(
        PART,
        "up-tree-map-swapped",
        "X",
        "tree.map with its arguments swapped",
        "The slide has jax.tree.map's arguments in the wrong order: the function comes "
        f"first, then the trees {REVIEW}.",
        (APPLY, "theta_Q = jax.tree.map(theta_Q, updates, lambda w, u: w + u)"),
    ),
    changed(
        PART,
        "up-loss-after",
        "S",
        "the loss after the step",
        "You return the loss of the new θ_Q. The loss before the step is asked for, "
        f"the one whose gradient you took {REVIEW}.",
        (
            RETURN,
            f"loss = td_loss(theta_Q, theta_T, model, batch, gamma)\n    {RETURN}",
        ),
    ),
    changed(
        PART,
        "up-loss-of-target",
        "S",
        "the loss of θ_T",
        "The loss that you return is θ_T's. The step is taken on θ_Q's loss, and that "
        f"one is returned {TARGET}.",
        (
            RETURN,
            f"loss = td_loss(theta_T, theta_T, model, batch, gamma)\n    {RETURN}",
        ),
    ),
    changed(
        PART,
        "up-loss-first",
        "X",
        "the loss first",
        "Your three results are in another order than agreed. The training loop takes "
        f"them as theta_Q, opt_state, loss {LOOP}.",
        (RETURN, "return loss, theta_Q, opt_state"),
    ),
    changed(
        PART,
        "up-two-results",
        "X",
        "does not return the state",
        "You do not return opt_state (the slides' loop drops it too). It must survive "
        f"to the next step, so it is the second of three results {REVIEW}.",
        (RETURN, "return theta_Q, loss"),
    ),
    changed(
        PART,
        "up-returns-network",
        "X",
        "the whole network for θ_Q",
        "You return the network put together. The next update needs its parameters "
        f"alone, the same kind of tree as the theta_Q that came in {REVIEW}.",
        (RETURN, "return eqx.combine(theta_Q, model), opt_state, loss"),
    ),
    changed(
        PART,
        "up-python-float",
        "X",
        "float() of a traced value",
        "Your step is right, but turning the loss into a Python float fails under jit, "
        f"where it has no value yet. Return the JAX scalar {REVIEW}.",
        (RETURN, RETURN.replace("loss", "float(loss)")),
    ),
    rewritten(
        PART,
        "up-donates",
        "X",
        "donates its arguments to jit",
        "Your step deletes the arrays that it was given: they are donated to jax.jit. "
        f"The caller still has them, θ_T may be the same ones as θ_Q {REVIEW}.",
        """
import functools


@functools.partial(
    jax.jit,
    static_argnames=("optimizer", "model"),
    donate_argnames=("theta_Q", "opt_state"),
)
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    return optax.apply_updates(theta_Q, updates), opt_state, loss
""",
    ),
]

MUTANTS = [*GRADIENTS, *STATES, *RESULTS]
