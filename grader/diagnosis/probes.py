"""What a part answers to a fixed list of questions, in numbers: its fingerprint.

Known wrong solutions are recorded by it, and recognised. So it has to depend on what
the part does and not on how it is written: values where the contract fixes them, and
else frequencies, lengths and yes or no.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from grader.contract.case import Case, Student
from grader.contract.outcomes import GraderError, NotImplementedYet, Raised, Wrong
from grader.diagnosis import value_probes
from grader.diagnosis.buffer_probe import buffer
from grader.diagnosis.entries import Entries
from grader.diagnosis.exploration_probe import epsilon_greedy
from grader.diagnosis.network_probe import network
from grader.oracle.known import Fingerprint

NAN = 9e9  # in the place of what is not finite
MAX_NUMBERS = 64

# By part. A part without a row is asked the fixed cases of its check file.
PROBES: dict[str, Callable[[Student], Entries]] = {
    "update_Q_TD0": value_probes.table,
    "episode_terminateds": value_probes.flags,
    "discounted_returns": value_probes.returns,
    "mc_loss": value_probes.mc_loss,
    "q_network": network,
    "epsilon_greedy": epsilon_greedy,
    "ReplayBuffer": buffer,
    "td_loss": value_probes.td_loss,
    "td_update": value_probes.td_update,
    "sync_target": value_probes.sync,
}


def fingerprint(
    part: str, student: Student, fixed: tuple[Case, ...] = ()
) -> Fingerprint:
    """Ask a part its questions: those of `PROBES`, or else its fixed cases.

    Raises:
        NotImplementedYet: it is still a stub.
        Stopped: the hand-in's process or its time came to an end.
    """
    found: Fingerprint = {}
    for name, ask in PROBES.get(part, partial(value_probes.plain, fixed))(student):
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
    """Return the shape and the values, of six digits."""
    values = np.nan_to_num(answer.ravel(), nan=NAN, posinf=-NAN, neginf=-NAN)
    shape = [] if answer.ndim == 1 else [float(n) for n in answer.shape]
    return [*shape, *(float(f"{value:.6g}") for value in values[:MAX_NUMBERS])]
