"""Run scripts, lists of operations, on the hand-in's `ReplayBuffer`."""

import dataclasses
import math
import time
from typing import Any

import numpy as np

from grader.inside.values import (
    FIELDS,
    Args,
    ContractError,
    Spec,
    as_array,
    part,
    returned,
)


def replay_buffer(dqn: Any, spec: Spec, args: Args) -> Args:
    """Make a buffer, run the operations in `spec["script"]`, return their results.

    `args` has an array of transitions for each field. The operations:

    - ["add", i, j]: add the transitions i to j-1 of `args`, counted from 0.
    - ["plain", i, j]: the same, with Python numbers in place of NumPy's.
    - ["len"]: append the buffer's length to `lengths`.
    - ["rng", seed]: make a new random generator for the draws that follow.
    - ["sample", B]: draw a batch of B transitions, and append it to `samples`.
    - ["samples", n, B]: draw n batches; append them as one dict of fields [n,B,...].
    - ["samples", n, B, m, t]: the same, but stop early once t seconds of processor
      time are over and at least m batches are drawn.
    - ["reread", k]: append the k-th batch of "sample" (k from 0) again, as it is now.
    - ["scribble"]: overwrite the states in `args`; a right buffer has kept copies.

    Returns:
        A dict of `lengths`, a list of ints, and `samples`, a list of batches: dicts
        with an array for each field.
    """
    buffer = part(dqn, "ReplayBuffer")(spec["capacity"])
    rng = np.random.default_rng(0)
    lengths: list[int] = []
    batches: list[tuple[Any, int]] = []  # each batch with its B
    samples: list[Args] = []
    for name, *numbers in spec["script"]:
        if name == "add":
            add_rows(buffer, args, *numbers)
        elif name == "plain":
            for i in range(*numbers):
                values = [args[field][i] for field in FIELDS]
                buffer.add(*(v if v.ndim else v.item() for v in values))
        elif name == "len":
            lengths.append(len(buffer))
        elif name == "rng":
            rng = np.random.default_rng(numbers[0])
        elif name == "sample":
            batches.append((buffer.sample(numbers[0], rng), numbers[0]))
            samples.append(batch_fields(*batches[-1]))
        elif name == "samples":
            samples.append(stacked_samples(buffer, rng, *numbers))
        elif name == "reread":
            samples.append(batch_fields(*batches[numbers[0]]))
        elif name == "scribble":
            args["state"][...] = args["next_state"][...] = -12345.0
    return {"lengths": lengths, "samples": samples}


def add_rows(buffer: Any, rows: Args, first: int, last: int) -> None:
    """Add the transitions first, ..., last - 1 of `rows` to a buffer, one by one."""
    for i in range(first, last):
        buffer.add(*(rows[name][i] for name in FIELDS))


def stacked_samples(
    buffer: Any,
    rng: np.random.Generator,
    n: int,
    batch_size: int,
    fewest: int = 0,
    seconds: float = math.inf,
) -> Args:
    """Draw n batches of B = `batch_size`; return an array [n,B,...] for each field.

    Drawing stops early once `seconds` of processor time are over and at least `fewest`
    batches are drawn. Then n is the number of batches drawn.

    Raises:
        ContractError: a field has different shapes in different batches, or
            `batch_fields` does not accept a batch.
    """
    batches: list[Args] = []
    ends = time.process_time() + seconds
    while len(batches) < (n if time.process_time() < ends else fewest):
        batches.append(batch_fields(buffer.sample(batch_size, rng), batch_size))
    for name in FIELDS:
        shapes = list(dict.fromkeys(batch[name].shape for batch in batches))
        if len(shapes) > 1:
            raise ContractError(
                f"sample's {name} has the shape {shapes[0]} in one batch and "
                f"{shapes[1]} in another, with B = {batch_size} for both: each has to "
                "have B rows" + ", s′ where d is true as well" * (name == "next_state")
            )
    return {name: np.stack([batch[name] for batch in batches]) for name in FIELDS}


def batch_fields(batch: Any, batch_size: int) -> Args:
    """Return a batch as a dict with an array for each field, of any shape.

    Args:
        batch: result of `sample`: a Transition, a similar class, a tuple or a list.
        batch_size: number of transitions that were asked for.

    Raises:
        ContractError: the batch has another type, is a list of `batch_size`
            transitions, or does not have five fields of numbers.
    """
    if all(hasattr(batch, name) for name in FIELDS):
        values = [getattr(batch, name) for name in FIELDS]
    elif dataclasses.is_dataclass(batch):
        values = [getattr(batch, field.name) for field in dataclasses.fields(batch)]
    elif isinstance(batch, tuple | list):
        values = list(batch)
    else:
        raise ContractError(returned("sample", batch, "a Transition"))
    rows = {len(v) for v in values if isinstance(v, tuple | list)} == {len(FIELDS)}
    if rows and len(values) == batch_size:
        raise ContractError(
            f"sample returned a list of its {batch_size} rows, expected one "
            f"Transition of five arrays with {batch_size} entries each"
        )
    if len(values) != len(FIELDS):
        raise ContractError(returned("sample", batch, "5 fields"))
    return {
        name: as_array(f"the sample's {name}", value)
        for name, value in zip(FIELDS, values, strict=True)
    }
