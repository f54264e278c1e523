"""The limits of a grading: seconds and numbers of tries."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of one grading; tests pass other values.

    Times are wall-clock times in seconds.

    Attributes:
        start_seconds: longest time until a new helper sends its first message.
        import_seconds: longest time for importing the hand-in.
        call_seconds: longest time for one answer of the hand-in.
        part_seconds: longest time for all answers of one part, including the time for
            restarting the hand-in's process.
        diagnosis_seconds: longest time for the answers to the reader of one part.
        run_seconds: longest time for the whole run. CI's own time limit is longer, so
            that a hand-in that needs too long still gets a report.
        trusted_seconds: longest time for one answer to a request that executes no code
            of the hand-in.
        learn_seconds: longest time for one training.
        all_learn_seconds: longest time for all trainings together.
        trainings: largest number of trainings for each of the two tasks, maze and
            CartPole. Each training has another seed, and the best one of a task counts.
        restarts: largest number of restarts of the hand-in's process for one part.
    """

    start_seconds: float = 60.0
    import_seconds: float = 30.0
    call_seconds: float = 15.0
    part_seconds: float = 45.0
    diagnosis_seconds: float = 20.0
    run_seconds: float = 480.0
    trusted_seconds: float = 120.0
    learn_seconds: float = 150.0
    all_learn_seconds: float = 300.0
    trainings: int = 3
    restarts: int = 12


LIMITS = Limits()
