"""Rules that find in the log of a training why a task was not learned.

Each rule looks for one cause. If the log shows the cause, the rule returns what the log
shows, what usually causes this, and which exercises to look at. Otherwise the rule
returns None. In exercise 9, no rule blames `td_loss` or `td_update`: either the updates
are right, or the report shows the formula of the updates. No rule blames the replay
buffer: a wrong batch stops learning, and the message says what is wrong with the batch.
The rules in `OF_UNCHECKED_UPDATES` may blame `td_loss` and the replay buffer, but only
`make train` uses these rules.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grader.contract.learning import CARTPOLE, GAMMA, MAZE
from grader.diagnosis.learning_run import (
    BLOCK_STEPS,
    EPSILON,
    EPSILON_STEPS,
    FEW,
    Watched,
    sound,
    syncs,
)

RANDOM = 22  # CartPole's mean return of random actions
BOUND = 2.0  # after a few syncs, the largest |Q| of a right hand-in is above this
ENDLESS = 1 / (1 - GAMMA)  # the |Q| of a reward of ±1 in each step, without an end
NEAR_ENDLESS = 0.85  # the share of `ENDLESS` from which Q counts as close to it
ABOVE_0 = 0.3  # after a few syncs, the Q of a right hand-in in the maze is below this

LAST_STEP = {
    MAZE: "the last step to the exit, which is worth −1",
    CARTPOLE: "the last step before the fall, which is worth 1",
}


@dataclass(frozen=True)
class Cause:
    """Why a task was not learned in a training.

    Attributes:
        seen: what the log of the training shows, in a sentence.
        usual: what usually causes this, in a sentence.
        exercises: names of the exercises to look at.
    """

    seen: str
    usual: str
    exercises: tuple[str, ...]


def number(value: float) -> str:
    """Return a number as text, such as 0.0123, 45.6, 7890 or 7.89e5.

    From 1000 to 1e5 it is rounded to a whole number, otherwise to three significant
    digits.
    """
    if 1000 <= abs(value) < 1e5:
        return f"{value:.0f}".replace("-", "−")
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e").replace("-", "−")


def never_synced(watched: Watched) -> Cause | None:
    """Detect that θ_T became θ_Q in at most 90 % of the syncs that were due.

    Returns:
        None also if fewer than `FEW` syncs were due.
    """
    took, due = syncs(watched)
    if due < FEW or took > 0.9 * due:
        return None
    seen = (
        f"In training, `step` was a multiple of `period` {due} times; sync_target "
        f"returned θ_Q in {took} of them."
    )
    usual = (
        "Each time θ_T has to become θ_Q. Labels from a θ_T that is renewed too rarely "
        "tell little more than the rewards of the next steps (slides: Target Networks)."
    )
    return Cause(seen, usual, ("sync_target",))


def acts_otherwise(watched: Watched) -> Cause | None:
    """Detect that `epsilon_greedy` takes the greedy action too often or too rarely.

    Too often: more than 95 % of the actions are greedy at the start of the training,
    where ε is near 1. Too rarely: fewer than 85 % are greedy at the final ε.
    """
    early = watched["greedy"][:FEW]
    late = watched["env_step"] > EPSILON_STEPS + BLOCK_STEPS
    greedy = watched["greedy"][late]
    # If Q is equal for all actions, any action is an arg max, and `same_best` is 1.
    tied = (watched["same_best"][late] == 1).any()
    if len(early) == FEW and early.min() > 0.95:
        seen = f"In the first {FEW * BLOCK_STEPS} steps, where ε is near 1, "
        seen += f"epsilon_greedy chose arg max Q in {early.mean():.0%} of the states; "
        seen += "about half is right, as there are two actions."
        usual = "Usually epsilon_greedy never explores, or reads ε the wrong way round"
    elif len(greedy) >= FEW and greedy.mean() < 0.85 and not tied:
        seen = f"With ε = {EPSILON}, epsilon_greedy chose arg max Q in "
        seen += f"{greedy.mean():.0%} of the states; {1 - EPSILON / 2:.0%} is right."
        usual = (
            "Usually arg min is taken for arg max"
            if greedy.mean() < 0.25
            else "Usually epsilon_greedy explores whatever ε is, or takes the arg max "
            "over another axis"
        )
    else:
        return None
    return Cause(seen, usual + " (slides: Deep Q Networks).", ("epsilon_greedy",))


def endless(watched: Watched) -> Cause | None:
    """Detect that Q comes close to ±1/(1−γ), the value of a task that never ends.

    On CartPole, the right Q of a good agent is close to this value except at the last
    step of an episode. So the cause is detected, in both tasks, only if the mean Q of
    last steps is close to this value, too.
    """
    sign = -1 if watched.in_maze else 1
    q, at_end = (sign * watched.late(name) for name in ("q", "q_at_end"))
    low, high = NEAR_ENDLESS * ENDLESS, ENDLESS / NEAR_ENDLESS
    if watched.blocks < 4 * FEW or not (low < q < high and low < at_end < high):
        return None
    value = number(sign * ENDLESS)
    end = LAST_STEP[watched.task]
    seen = f"Q is heading for {value} = {'−' if sign < 0 else ''}1/(1−γ), the value of "
    seen += f"a task that never ends: {number(sign * q)} on average, and "
    seen += f"{number(sign * at_end)} for {end}."
    usual = (
        "Usually ¬d is missing in td_loss, or the replay buffer loses `terminated` "
        "(slides: Target Networks)."
    )
    return Cause(seen, usual, ("td_loss", "replay_buffer"))


def beyond(watched: Watched) -> Cause | None:
    """Detect that |Q| is more than twice the largest |Q| of any policy.

    A Q of the wrong sign is ignored. In the maze, `bounded` detects it.
    """
    q = watched.late("q")
    if not (-q if watched.in_maze else q) > 2 * ENDLESS:
        return None
    seen = f"In the end max Q(s, ·) was {number(q)} on average, but no policy has a "
    seen += f"|Q| above {number(ENDLESS)} = 1/(1−γ)."
    usual = (
        "Usually ¬d is missing in td_loss, or the labels are of θ_Q where they should "
        "be of θ_T (slides: Target Networks)."
    )
    return Cause(seen, usual, ("td_loss", "sync_target"))


def not_a_number(watched: Watched) -> Cause | None:
    """Detect that the loss, Q or θ_Q became NaN or infinite."""
    (bad,) = np.nonzero(~sound(watched))
    if not len(bad):
        return None
    seen = f"By step {watched['env_step'][bad[0]]:.0f} the loss, Q or θ_Q was NaN or "
    seen += "infinite."
    usual = (
        "Usually the network has a division by 0, or a log, a root or a power of a "
        "number that can be 0 or negative (slides: Deep Learning Review)."
    )
    return Cause(seen, usual, ("q_network",))


def never_updated(watched: Watched) -> Cause | None:
    """Detect that no update has moved θ_Q."""
    if watched["moved"].max() > 0:
        return None
    seen = "θ_Q did not move: in every update, the gradient of the loss was 0 in all "
    seen += "parameters of the network."
    usual = (
        "Usually the network's values do not depend on its parameters, or only in a "
        "way without a derivative, as by rounding or stop_gradient (slides: Deep "
        "Learning Review)."
    )
    return Cause(seen, usual, ("q_network",))


def bounded(watched: Watched) -> Cause | None:
    """Detect that the network's output is bounded, so that Q cannot become right.

    A bounded network shows in one of two ways. Either the largest |Q(s, a)| stays
    small. Or, in the maze, the mean of max_a Q(s, a) is above 0, although all right
    values are negative.
    """
    q, most = watched.late("q"), watched.late("largest_q")
    if watched.blocks < 4 * FEW:
        return None
    if watched.in_maze and q > ABOVE_0:
        seen = f"In the end max Q(s, ·) was {number(q)} on average; each step has "
        seen += "reward −1, so no right value is above 0."
        more = " Or its first weights are much too large."
    elif most < BOUND:
        right = (
            "right values are −1 beside the exit and −5 or less far from it"
            if watched.in_maze
            else "right values grow above 50, as each step has reward 1"
        )
        seen = f"In the end the largest |Q(s, a)| was {number(most)}; {right}."
        more = ""
    else:
        return None
    usual = (
        "Usually the network cannot give such values, because an activation (as ReLU, "
        "tanh, softmax) or a fixed scale bounds its output; the output layer needs "
        f"neither (slides: Deep Q Networks).{more}"
    )
    return Cause(seen, usual, ("q_network",))


def same_everywhere(watched: Watched) -> Cause | None:
    """Detect that Q hardly depends on the state.

    The right Q of an episode's last step is only −1 (maze) or 1 (CartPole). So this
    rule compares the mean Q of last steps with the mean Q of all states. The cause is
    detected if the latter is not small, and the two differ by less than a quarter of
    it.
    """
    q, at_end = watched.late("q"), watched.late("q_at_end")
    if watched.blocks < 4 * FEW or not (
        abs(q) > BOUND and abs(q - at_end) < abs(q) / 4
    ):
        return None
    end = LAST_STEP[watched.task]
    seen = f"Q hardly differs from state to state: {number(q)} on average, and still "
    seen += f"{number(at_end)} for {end}."
    usual = (
        "Usually the network cannot tell states apart: there is no activation between "
        "the layers, all weights start alike (as at 0), or a part of the state is left "
        "out (slides: Deep Learning Review)."
    )
    return Cause(seen, usual, ("q_network",))


def one_action(watched: Watched) -> Cause | None:
    """Detect that the same action is best in more than 99 % of the states."""
    same = watched.last("same_best")
    if watched.blocks < 4 * FEW or not same.mean() > 0.99:
        return None
    seen = f"In the end the same action was best in {same.mean():.0%} of the states."
    usual = (
        "Usually the network gives one value for all actions, or is linear, or "
        "epsilon_greedy hardly tries the other action (slides: Deep Q Networks)."
    )
    return Cause(seen, usual, ("q_network", "epsilon_greedy"))


def lost_again(watched: Watched) -> Cause | None:
    """Detect that the return on CartPole was good once, but much lower in the end.

    The best validation has a mean return of at least 100, and of at least 1.5 times the
    mean return of the test episodes.
    """
    if watched.in_maze or len(watched.curve) < FEW:
        return None
    step, best = watched.curve[watched.curve[:, 1].argmax()]
    if best < max(100, 1.5 * watched.mean_return):
        return None
    seen = f"The greedy policy reached {best:.0f} at step {step:.0f} and lost it again"
    seen += f": {watched.mean_return:.0f} in the end."
    usual = (
        "Some of that is normal in DQN. Where it never settles, usually θ_T changes "
        "too often or too seldom, or too little is explored (slides: Target Networks; "
        "Deep Q Networks)."
    )
    return Cause(seen, usual, ("sync_target", "epsilon_greedy", "q_network"))


def slow(watched: Watched) -> Cause | None:
    """Detect that the return on CartPole was still rising when the training ended.

    The mean of the last third of the validations is at least 1.5 times that of the
    first third.
    """
    means = watched.curve[:, 1]
    if watched.in_maze or len(means) < 2 * FEW:
        return None
    first, last = means[: len(means) // 3].mean(), means[-(len(means) // 3) :].mean()
    if last < 1.5 * max(first, RANDOM):
        return None
    seen = f"The return rises, from {first:.0f} to {last:.0f}, but slowly: the budget "
    seen += f"of {watched['env_step'][-1]:.0f} steps ended first."
    usual = (
        "Usually the network is too small or its first weights are far too small or "
        "large, or too little is explored (slides: Deep Q Networks)."
    )
    return Cause(seen, usual, ("q_network", "epsilon_greedy", "sync_target"))


Rule = Callable[[Watched], Cause | None]
# Rules for all trainings, even if the updates are wrong.
OF_ANY_UPDATES: list[Rule] = [never_synced, acts_otherwise]
# Rules for trainings whose updates were not compared with right ones.
OF_UNCHECKED_UPDATES: list[Rule] = [endless, beyond]
# Rules for trainings whose updates are not made by the formula of a wrong loss.
OF_RIGHT_UPDATES: list[Rule] = [
    *(not_a_number, never_updated, bounded, same_everywhere, one_action),
    *(lost_again, slow),
]
