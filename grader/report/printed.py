"""Put into words what a hand-in has printed."""

import re
from typing import Any

from grader.contract.exercises import EXERCISES

# A tracer, which is an array without numbers, as JAX or a debug print writes it:
# JitTracer(float32[5]), VmapTracer(aval=float32[3], …), Traced<ShapedArray(float32[])>.
TRACER = re.compile(r"\b(\w*Tracer\([^\n()]*\)|Traced<\S*>)")


def shown_lines(printed: dict[str, Any]) -> list[str]:
    """Return the lines of a hand-in's output, as far as the grader has kept them.

    If bytes were not kept, a last line says how many.

    Args:
        printed: an entry of `Report.printed`.
    """
    lines = printed["text"].rstrip("\n").split("\n")
    if printed["dropped"]:
        lines.append(f"… {printed['dropped']} bytes more were not kept")
    return lines


def about_tracers(printed: dict[str, Any]) -> list[str]:
    """Return a list with a sentence on tracers if the output shows a tracer, else [].

    A tracer stands for an array without numbers, while JAX traces a function.

    Args:
        printed: an entry of `Report.printed`.
    """
    found = TRACER.search(printed["text"])
    if not found:
        return []
    name = printed["exercise"]
    how = "jax.debug.print shows the numbers"
    if name in EXERCISES:
        how += f" with `make grade ONLY={name} INPROCESS=1`"
    return [
        f"→ {found[0]} is no mistake: while JAX traces a function, an array has a type "
        f"and a shape, but no numbers yet; {how}."
    ]
