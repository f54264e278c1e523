"""Rules that explain from the log of one run why CartPole was not learned.

Each rule tests for one cause. The rule says what was seen, what usually causes this,
and which exercises to look at.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grader.diagnosis.learning_run import (
    FEW,
    GAMMA,
    LARGEST_RETURN,
    Watched,
    exploded_at,
    is_sudden,
    largest,
    recent_return,
    sound,
)

EXPLORED = 10_000  # environment steps until ε has fallen to EPSILON
EPSILON = 0.04
# Steps that the solution needs, see tests/evidence/CALIBRATION.md.
USUAL_STEPS = "10 000 to 40 000"
CONSTANT, RANDOM = 9, 22  # returns of a constant and of a random policy


@dataclass(frozen=True)
class Cause:
    """Why a run did not learn.

    Attributes:
        seen: what was seen, in a sentence.
        usual: usual cause of what was seen, in a sentence.
        exercises: exercises to look at.
    """

    seen: str
    usual: str
    exercises: tuple[str, ...]


def number(value: float) -> str:
    """Return a number as text, with about three digits: 0.0123, 45.6, 7890, 7.89e5."""
    if 1000 <= abs(value) < 1e5:
        return f"{value:.0f}".replace("-", "−")
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e").replace("-", "−")


def not_a_number(watched: Watched) -> Cause | None:
    """Detect NaN or infinity without growth before."""
    (bad,) = np.nonzero(~sound(watched))
    if not len(bad) or (before := largest(watched["largest_loss"][: bad[0]])) > 1e6:
        return None
    step = watched["env_step"][bad[0]]
    seen = f"The loss or θ_Q became NaN or infinite by step {step:.0f}"
    seen += f"; no loss was above {number(before)} before." if bad[0] else ", at once."
    usual = (
        "Nothing grew first, so td_loss or td_update makes it: a division by 0, a log "
        "or a root of what can be 0 or negative."
    )
    return Cause(seen, usual, ("td_loss", "td_update"))


def never_updated(watched: Watched) -> Cause | None:
    """Detect that θ_Q has not moved."""
    if watched["moved"].max() > 0:
        return None
    seen = f"θ_Q did not move: by step {watched['env_step'][-1]:.0f} each parameter "
    seen += "still is what it was at the start."
    usual = (
        "Usually td_update returns the θ_Q that it was given, not the new one, or the "
        "gradient is 0 everywhere (slides: Deep Learning Review)."
    )
    return Cause(seen, usual, ("td_update", "td_loss"))


def negative_loss(watched: Watched) -> Cause | None:
    """Detect a negative loss; a mean of squares is never negative."""
    (bad,) = np.nonzero(watched["loss"] < 0)
    if not len(bad):
        return None
    step, loss = watched["env_step"][bad[0]], watched["loss"][bad[0]]
    seen = (
        f"The loss was {number(loss)} by step {step:.0f}; a mean of squares is never "
    )
    seen += f"negative. |Q| came to {number(largest(watched['largest_q']))}."
    usual = (
        "Usually a sign, or a square left out: each update then makes the error "
        "larger (slides: Deep Q Learning)."
    )
    return Cause(seen, usual, ("td_loss",))


def never_synced(watched: Watched) -> Cause | None:
    """Detect that θ_T never changes, or hardly ever."""
    synced = watched["synced"][1:]  # the first block came before any sync
    if len(synced) < FEW or synced.mean() > 0.9:
        return None
    times = f"{int(synced.sum())} of {len(synced)} times"
    seen = f"sync_target answered θ_Q {times}, though `step` was a multiple of "
    seen += f"`period` each time; max Q stayed about {number(watched.late('q'))}."
    usual = (
        "So the labels are made by an old θ_T, and Q never learns of more than the "
        "next steps (slides: Target Networks)."
    )
    return Cause(seen, usual, ("sync_target",))


def acts_otherwise(watched: Watched) -> Cause | None:
    """Detect actions that do not follow Q and ε."""
    early = watched["greedy"][:FEW]
    greedy = watched["greedy"][watched["env_step"] > EXPLORED]
    if len(early) == FEW and early.min() > 0.95:
        seen = f"With ε near 1, {early.mean():.0%} of the actions were arg max Q; "
        seen += "about half of them should be."
        usual = "Usually epsilon_greedy never explores, or reads ε the wrong way round"
    elif len(greedy) >= FEW and greedy.mean() < 0.85:
        seen = f"With ε = {EPSILON}, {greedy.mean():.0%} of the actions were arg max "
        seen += f"Q; {1 - EPSILON / 2:.0%} should be."
        usual = (
            "Usually arg min for arg max: what follows good actions is hardly ever seen"
            if greedy.mean() < 0.25
            else "Usually epsilon_greedy explores whatever ε is, or takes the arg max "
            "over another axis"
        )
    else:
        return None
    return Cause(seen, usual + " (slides: Deep Q Networks).", ("epsilon_greedy",))


def no_ends(watched: Watched) -> Cause | None:
    """Detect that the buffer never returns a transition into a terminal state."""
    if np.isfinite(watched["q_at_end"]).any() or len(watched["q_at_end"]) < FEW:
        return None
    blocks = len(watched["q_at_end"])
    seen = f"In {blocks} blocks of updates, sample never returned a transition that "
    seen += "ends an episode; there were many."
    usual = (
        "Usually add leaves out the last step: then nothing tells the agent that "
        "falling is bad (slides: Experience Replay)."
    )
    return Cause(seen, usual, ("replay_buffer",))


def forgets_the_end(watched: Watched) -> Cause | None:
    """Detect that Q at the end of an episode is as large as elsewhere: no mask."""
    at = exploded_at(watched)
    if at is None:
        q, at_end = watched.late("q"), watched.late("q_at_end")
        if not q > 0.85 * LARGEST_RETURN:
            return None
        then = f"and {number(q)} elsewhere: never to fall is worth 1/(1−γ) = 100."
    else:
        q, at_end = (float(watched[name][at]) for name in ("q", "q_at_end"))
        if is_sudden(watched, at):
            return None
        then = f"by step {watched['env_step'][at]:.0f}; later the largest |Q| was "
        then += f"{number(largest(watched['largest_q']))}."
    if not (at_end > 20 and at_end > 0.8 * q):
        return None
    seen = "Where a step ends the episode, Q(s, a) is its reward, 1; yours was "
    seen += f"{number(at_end)} {then}"
    usual = (
        "Usually ¬d is missing in the label or stands the wrong way round, so that it "
        "bootstraps past the end (slides: Admin, homework 1; Target Networks)."
    )
    return Cause(seen, usual, ("td_loss",))


def explodes(watched: Watched) -> Cause | None:
    """Detect values that are larger than any return."""
    at = exploded_at(watched)
    if at is None:
        return None
    seen = f"The largest |Q| was {number(watched['largest_q'][at])} by step "
    seen += f"{watched['env_step'][at]:.0f} and came to "
    seen += f"{number(largest(watched['largest_q']))}, the loss to "
    seen += f"{number(largest(watched['largest_loss']))}; no return here is worth "
    seen += "more than 1/(1−γ) = 100."
    if is_sudden(watched, at):
        usual = (
            "Labels r + ¬d γ max Q(s′, ·; θ_T) rise by 1 from sync to sync, no faster. "
            "Usually yours hold θ_Q for θ_T or more than the max, or a sign lets the "
            "error grow (the deadly triad; slides: Target Networks)."
        )
        return Cause(seen, usual, ("td_loss", "td_update"))
    usual = (
        "That is the deadly triad: each label is made of a Q that grew itself. Look "
        "at what the label holds beside r + ¬d γ max Q(s′, ·; θ_T), and at θ_T "
        "(slides: Target Networks)."
    )
    return Cause(seen, usual, ("td_loss", "sync_target"))


def short_sighted(watched: Watched) -> Cause | None:
    """Detect that Q stays near the reward of one step."""
    q, most = watched.late("q"), watched.late("largest_q")
    if watched.problem or not abs(q) < 3:
        return None
    seen = f"max Q stayed about {number(q)}, {number(most)} at most; with a reward of "
    seen += "1 a step it should grow with the episodes, to 50 and more."
    usual = (
        "Usually the label lacks the future value (no γ max Q, an index for the value, "
        "a sign), or the network's output is bounded by an activation "
        "(slides: Deep Q Learning)."
    )
    return Cause(seen, usual, ("td_loss", "q_network"))


def same_everywhere(watched: Watched) -> Cause | None:
    """Detect that Q hardly depends on the state."""
    q, at_end = watched.late("q"), watched.late("q_at_end")
    if watched.problem or not (q > 3 and at_end > 0.7 * q):
        return None
    seen = f"Q is nearly the same in all states: {number(q)} on average, and "
    seen += f"{number(at_end)} for the last step before a fall, which is worth 1."
    usual = (
        "Usually each prediction meets every label ([B] and [B, 1] make [B, B]), or "
        "the network cannot tell states apart (no activation, all weights alike, a "
        "part of the state left out; slides: Deep Learning Review)."
    )
    return Cause(seen, usual, ("td_loss", "q_network"))


def promises_too_much(watched: Watched) -> Cause | None:
    """Detect Q values of long episodes although episodes are short."""
    q, recent = watched.late("q"), recent_return(watched)
    if watched.problem or not 3 <= q < LARGEST_RETURN:
        return None
    steps = math.log(1 - q / LARGEST_RETURN) / math.log(GAMMA)
    if steps < 3 * recent:
        return None
    seen = (
        f"max Q of about {number(q)} promises {steps:.0f} more steps, but the greedy "
    )
    seen += f"policy lasts {recent:.0f}."
    usual = (
        "Usually a label belongs to another state, action or row than its prediction: "
        "Q(s, a) and max Q(s′, ·) of the same transition (slides: Deep Q Learning)."
    )
    return Cause(seen, usual, ("td_loss", "replay_buffer"))


def lost_again(watched: Watched) -> Cause | None:
    """Detect that a good return was reached and lost again."""
    if watched.problem or len(watched.curve) < FEW:
        return None
    step, best = watched.curve[watched.curve[:, 1].argmax()]
    if best < max(100, 1.5 * watched.mean_return):
        return None
    seen = f"The greedy policy reached {best:.0f} at step {step:.0f} and lost it again"
    seen += f": {watched.mean_return:.0f} in the end."
    usual = (
        "Some of that is normal in DQN. Where it never settles, usually the labels "
        "move with each update, the optimizer's state is lost between updates, or "
        "the batches are all alike (slides: Target Networks; Experience Replay)."
    )
    exercises = ("td_update", "sync_target", "replay_buffer")
    return Cause(seen, usual, exercises)


def slow(watched: Watched) -> Cause | None:
    """Detect that the return still rises when the budget ends."""
    means = watched.curve[:, 1]
    if watched.problem or len(means) < 2 * FEW:
        return None
    first, last = means[: len(means) // 3].mean(), means[-(len(means) // 3) :].mean()
    if last < 1.5 * max(first, RANDOM):
        return None
    seen = f"The return rises, from {first:.0f} to {last:.0f}, but slowly: the budget "
    seen += f"of {watched['env_step'][-1]:.0f} steps ended first; {USUAL_STEPS} are "
    seen += "usual."
    usual = (
        "Usually the updates are too small (divided twice, not the optimizer's), or "
        "learn from few different transitions (slides: Experience Replay)."
    )
    return Cause(seen, usual, ("td_update", "replay_buffer", "td_loss"))


def stuck(watched: Watched) -> Cause | None:
    """Detect the return of a policy that has learned nothing."""
    recent = recent_return(watched)
    if watched.problem or len(watched.curve) < FEW or recent > 1.5 * RANDOM:
        return None
    same = watched.late("same_best")
    if recent < 1.4 * CONSTANT:
        seen = (
            f"The greedy policy's return stayed about {recent:.0f}, as of a constant "
        )
        seen += f"action; the best action was the same in {same:.0%} of the states."
        usual = (
            "Usually Q(s, a) is taken, or trained, for the wrong action, so that Q "
            "does not tell the actions apart (slides: Deep Q Networks)."
        )
    else:
        seen = f"The greedy policy's return stayed about {recent:.0f}, as of random "
        seen += "actions."
        usual = (
            "Usually what is learned has nothing to do with what was seen: rows or "
            "actions mixed up in sample or td_loss (slides: Experience Replay)."
        )
    return Cause(seen, usual, ("td_loss", "replay_buffer", "q_network"))


RULES: list[Callable[[Watched], Cause | None]] = [
    *(not_a_number, never_updated, negative_loss, never_synced, acts_otherwise),
    *(no_ends, forgets_the_end, explodes, short_sighted, same_everywhere),
    *(promises_too_much, lost_again, slow, stuck),
]
