"""What checks of several exercises do alike."""

from grader.outcomes import Raised, Wrong
from grader.session import Case, Student
from grader.text import plain


def unchanged(student: Student, case: Case) -> None:
    """NumPy arguments, which could be changed, are not.

    Raises:
        Wrong: one is.
    """
    spec = dict(case.spec)
    if "gradient" in spec:
        spec["gradient"] = False  # under `jax.grad` there is no array to be changed
    try:
        answer = student.called(Case(case.part, spec, case.args), numpy=True)
    except Raised:
        return  # the contract's arguments are JAX arrays, which nothing can change
    names = answer.get("changed")
    if not isinstance(names, list):
        raise Wrong("changed: no list of names came back")
    if names:
        raise Wrong(f"changed in place: {plain(', '.join(map(str, names)), 80)}")
