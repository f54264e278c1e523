"""How long things may take, how often they are tried, how much may come back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of one grading. Whoever grades passes them in; tests use small ones.

    Times are by the clock, in seconds.

    Attributes:
        start_seconds: for a helper process, until its first word.
        import_seconds: for importing the hand-in.
        cells_share: of that, for a notebook's statements.
        call_seconds: for one answer of the hand-in.
        part_seconds: for all answers of one part, and for starting its processes again.
        run_seconds: for the whole run, from its first process to its last answer. CI
            has limits of its own, some minutes longer: what uses up ours is graded.
        trusted_seconds: for one answer in which the hand-in has no part.
        learn_seconds: for one training.
        all_learn_seconds: for all trainings together.
        trainings: with other seeds, of which the best one counts.
        restarts: of the hand-in's process, in one part.
        skipped: statements of a notebook that may be left out since they never end.
        called_keys: keys that are asked one by one, where there is no program.
        key_numbers: numbers in the answer for one key.
        program_bytes: of one exported program; honest ones have some 10 kB.
    """

    start_seconds: float = 60.0
    import_seconds: float = 30.0
    cells_share: float = 0.8
    call_seconds: float = 15.0
    part_seconds: float = 45.0
    run_seconds: float = 480.0
    trusted_seconds: float = 120.0
    learn_seconds: float = 150.0
    all_learn_seconds: float = 300.0
    trainings: int = 3
    restarts: int = 12
    skipped: int = 20
    called_keys: int = 256
    key_numbers: int = 10_000
    program_bytes: int = 4 << 20


LIMITS = Limits()
