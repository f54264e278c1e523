"""The limits of a grading: seconds, numbers of tries, and sizes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of one grading; tests pass smaller values than the defaults.

    Times are wall-clock times in seconds.

    Attributes:
        start_seconds: longest time until a new helper sends its first message.
        import_seconds: longest time for importing the hand-in.
        cells_share: share of `import_seconds`, from 0 to 1, that all statements of a
            notebook together may take.
        call_seconds: longest time for one answer of the hand-in.
        part_seconds: longest time for all answers of one part, including the time for
            restarting the hand-in's process.
        diagnosis_seconds: longest time for the answers to the reader of one part.
        run_seconds: longest time for the whole run. CI's own time limit is some minutes
            longer, so that a hand-in that needs too long still gets a report.
        trusted_seconds: longest time for one answer to a request that executes no code
            of the hand-in.
        learn_seconds: longest time for one training.
        all_learn_seconds: longest time for all trainings together.
        trainings: largest number of trainings for each of the two tasks, maze and
            CartPole. Each training has another seed, and the best one of a task counts.
        restarts: largest number of restarts of the hand-in's process for one part.
        skipped: largest number of notebook statements that are left out because they
            run too long.
        called_keys: largest number of random keys for which a part is called, one call
            for each key, if the part cannot be exported.
        key_numbers: largest number of entries of the array that a call for one key
            returns.
        program_bytes: largest size of an exported program in bytes; usual programs have
            about 10 kB.
    """

    start_seconds: float = 60.0
    import_seconds: float = 30.0
    cells_share: float = 0.8
    call_seconds: float = 15.0
    part_seconds: float = 45.0
    diagnosis_seconds: float = 20.0
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
