"""If a typical mistake raises an exception, each failed check says where and why.

The grader recognises an exception by the error message of the installed library. If an
upgrade changes such a message, these tests fail.
"""

import re

import pytest

NET = "jax.vmap(eqx.combine(theta_Q, model))(batch.state)"
# For each function: its exercise, its wrong body, a piece of the place in the message,
# and a piece of the sentence that explains the exception.
FIRST = {
    "update_Q_TD0": (
        "update_Q_TD0",
        "Q[states, actions] = 0.0\nreturn Q",
        ", in update_Q_TD0: Q[states, actions] = 0.0",
        "x.at[i].set(v)",
    ),
    "mc_loss": (
        "monte_carlo",
        "loss = (theta_Q.weight if hasattr(theta_Q, 'weight') else rewards).sum()\n"
        "return discounted_returns(rewards)",
        ", in mc_loss: return discounted_returns(rewards)",
        "missing 1 required positional argument: 'gamma'",
    ),
    "q_network": (
        "q_network",
        "layers = [eqx.nn.Linear(state_dim, num_actions, key=key), jax.nn.relu]\n"
        "return eqx.nn.Sequential(layers)",
        "called was the network of dqn.py, line ",
        "wrapped in eqx.nn.Lambda",
    ),
    "epsilon_greedy": (
        "epsilon_greedy",
        "return q_values.argmax(dim=1)",
        ", in epsilon_greedy: return q_values.argmax(dim=1)",
        "say `axis`",
    ),
    "ReplayBuffer.sample": (
        "replay_buffer",
        "return [rng.randint(len(self)) for _ in range(batch_size)]",
        ", in sample: return [rng.randint(len(self))",
        "but not `randint`",
    ),
    "td_loss": (
        "td_loss",
        "return jnp.mean(eqx.combine(theta_Q, model)(batch.state))",
        ", in td_loss: return jnp.mean(eqx.combine(theta_Q, model)(batch.state))",
        "map it over the batch with jax.vmap",
    ),
    "td_update": (
        "td_update",
        "optimizer.zero_grad()",
        ", in td_update: optimizer.zero_grad()",
        "only init and update",
    ),
    "sync_target": (
        "sync_target",
        "return theta_Q.copy()",
        ", in sync_target: return theta_Q.copy()",
        "has no `copy`",
    ),
}
SECOND = {
    "q_network": (
        "q_network",
        "layers = [eqx.nn.Linear(state_dim, 8, key=key)]\n"
        "layers.append(eqx.nn.BatchNorm(8, 'batch', mode='batch'))\n"
        "return eqx.nn.Sequential(layers)",
        "called was the network of dqn.py, line ",
        "leave BatchNorm out",
    ),
    "epsilon_greedy": (
        "epsilon_greedy",
        "coin, action = key\nreturn q_values.argmax(axis=1)",
        ", in epsilon_greedy: coin, action = key",
        "no pair of numbers",
    ),
    "td_loss": (
        "td_loss",
        f"return {NET}.gather(1, batch.action[:, None]).mean()",
        ".gather(1, batch.action[:, None]).mean()",
        "`gather` is PyTorch's",
    ),
    "td_update": (
        "td_update",
        "grads, loss = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, 1)\n"
        "updates, opt_state = optimizer.update(grads, opt_state, theta_Q)\n"
        "return optax.apply_updates(theta_Q, updates), opt_state, loss",
        ", in td_update: ",
        "(loss, gradient), in this order",
    ),
}


@pytest.mark.parametrize("mistakes", [FIRST, SECOND], ids=["first", "second"])
def test_every_check_says_where_and_what(hand_in, graded, mistakes):
    """Each failed check shows the line in dqn.py and the sentence that explains it.

    The message has no name of a function or file of the grader.
    """
    path = hand_in({name: body for name, (_, body, *_) in mistakes.items()})
    report = graded(path, *(exercise for exercise, *_ in mistakes.values()))
    for graded_one, (_, _, place, sentence) in zip(
        report["exercises"], mistakes.values(), strict=True
    ):
        errors = [c for c in graded_one["checks"] if c["outcome"] == "error"]
        assert errors
        for check in errors:
            assert re.search(r"dqn\.py, line \d+", check["message"]), check
            assert place in check["message"]
            assert sentence in check["message"]
            assert not re.search(r"\bforward:|parts\.py", check["message"])


RETURNED = {
    "q_network": ("return None", "q_network returned None", "is a `return` missing?"),
    "ReplayBuffer.sample": (
        "return Transition(*(np.array([None] * batch_size) for _ in range(5)))",
        "the sample's state is an array of type object",
        "with None in it",
    ),
    "td_loss": ("return jnp.zeros(3), 1", "a tuple (float32[3], int)", "one array"),
    "td_update": (
        "return theta_Q, jnp.zeros(()), opt_state",
        "(a tree of parameters, a number, an optimizer's state)",
        "the order is (theta_Q, opt_state, loss)",
    ),
}


def test_what_was_returned(hand_in, graded):
    """If a part returns a wrong kind of value, the message describes this value.

    The message also says what was expected.
    """
    path = hand_in({name: body for name, (body, *_) in RETURNED.items()})
    exercises = ["q_network", "replay_buffer", "td_loss", "td_update"]
    report = graded(path, *exercises)
    for exercise, (_, *pieces) in zip(
        report["exercises"], RETURNED.values(), strict=True
    ):
        messages = [c["message"] for c in exercise["checks"]]
        assert any(all(p in m for p in pieces) for m in messages), messages


def test_batches_of_several_sizes(hand_in, graded):
    """If `sample` returns batches of several sizes, the message names the wrong field.

    It does not mention that the grader failed to stack the batches.
    """
    body = (
        "rows = rng.integers(len(self), size=batch_size)\n"
        "batch = Transition(*(column[rows] for column in self.columns))\n"
        "return batch._replace(next_state=batch.next_state[batch.action > 1])"
    )
    report = graded(hand_in({"ReplayBuffer.sample": body}), "replay_buffer")
    messages = " ".join(c["message"] for c in report["exercises"][0]["checks"])
    assert "sample's next_state has the shape" in messages
    assert "input arrays" not in messages
