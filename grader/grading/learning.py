"""Wait for the end of learning; if the hand-in's `td_loss` is wrong, learn again.

The second time, the learner makes updates by the formula of the hand-in's `td_loss`.
"""

from grader.contract import learning, mdps
from grader.contract.exercises import LEARNING
from grader.contract.outcomes import BY_HAND_IN, GraderError
from grader.diagnosis.formulas.losses import td_loss
from grader.diagnosis.formulas.losses.sample import Sample
from grader.diagnosis.formulas.losses.search import Found
from grader.diagnosis.formulas.losses.slopes import Slopes
from grader.diagnosis.formulas.losses.words import reading
from grader.grading.diagnoses import questions_of
from grader.grading.passes import Graded
from grader.oracle.learning.results import Formula, Results
from grader.oracle.learning.run import Learning


def results_of(graded: Graded, process: Learning) -> Results:
    """Wait for the end of learning and return its results.

    If the hand-in's `td_update` deviates from right updates, the diagnosis looks for
    the formula of the hand-in's `td_loss`. If this formula is wrong, all tasks are
    learned again, with updates by this formula. If the formula is right, or if none is
    found, or if `td_update` deviates again, the maze and CartPole are not judged. The
    table worlds are then judged only if all of them were learned. The results say why a
    task was not judged.

    Args:
        graded: the objects of this grading.
        process: the learning that has run beside the checks.

    Raises:
        GraderError: the grader failed while it looked for the formula.
    """
    results = process.wait()
    if not results.deviates:
        return results
    graded.budget.exercise = graded.budget.part = LEARNING
    # The questions of exercise 6, so that a report shows one formula of one function.
    rng = questions_of(td_loss.PART, graded.seed)
    found, formula = None, Formula()
    try:
        found = td_loss.find(graded.student, rng)
        formula = formula_of(*found) if found else formula
    except GraderError:
        raise
    except BY_HAND_IN:
        found = None  # the report says that learning was not judged
    except Exception as fault:
        found = None
        graded.keep_fault("td_loss", fault)
    slopes = {}
    # If `computes` is "", the loss is right, and td_update is wrong for another reason.
    if found and formula.computes:
        slopes = {
            gamma: Slopes(found[0], gamma) for gamma in (mdps.GAMMA, learning.GAMMA)
        }
    results = process.again(slopes)
    results.formula = formula
    return results


def formula_of(found: Found, sample: Sample) -> Formula:
    """Return two formulas of `td_loss` as texts: the hand-in's and the right one.

    Args:
        found: the formula of the hand-in's `td_loss`, as the diagnosis found it.
        sample: a question to `td_loss` with the hand-in's answer.

    Returns:
        A `Formula` with both texts and a hint for each mistake. If the formula of the
        hand-in is right, both texts are "" and there are no hints.
    """
    read = reading(td_loss.LANGUAGE, found, sample)
    if read is None:
        return Formula(found=True)
    computes, asked = (
        ", ".join(words.splitlines()) for words in (read.computes, read.asked)
    )
    hints = tuple(difference.hint for difference in read.differences)
    return Formula(True, computes, asked, hints)
