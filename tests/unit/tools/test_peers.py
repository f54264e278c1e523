"""The benchmark against DQNs of other authors reads its options and makes its table.

A racer is one of these DQN implementations.
"""

import pytest

from tests.tools.bench import peers
from tests.tools.bench.peers import Run


def test_an_unknown_racer_is_named(monkeypatch):
    """For an unknown racer, the error names it and lists the known racers."""
    monkeypatch.setenv("RACERS", "floor,turtle")
    with pytest.raises(SystemExit, match=r"turtle is unknown.*graded, floor, sb3"):
        peers.main()


def test_ratios_are_of_runs_with_one_seed():
    """A ratio compares two trainings with one seed that both reach a return of 475.

    Medians of returns and times are taken over all seeds.
    """

    def runs(racer, rule, *reached):
        return [
            Run(racer, rule, seed, 1000, mean_return, seconds, seconds / 2)
            for seed, (mean_return, seconds) in enumerate(reached, start=1)
        ]

    lines = peers.table(
        [
            *runs("sb3", "whole", (400, 90.0), (300, 80.0)),
            *runs("sb3", "likewise", (480, 30), (475, 10), (490, 8), (474, 9)),
            *runs("graded", "likewise", (500, 10), (500, 5), (470, 2), (500, 3)),
        ]
    )
    row = {line.split("  ")[0]: line.split() for line in lines}
    assert list(row)[1:] == ["graded", "sb3, whole", "sb3, likewise"]
    assert row["graded"][1:7] == ["3", "of", "4", "500.0", "1000", "4.0"]
    assert row["sb3, likewise"][2:] == [
        *("3", "of", "4", "477.5", "1000", "9.5", "4.8"),
        *("2.50", "(2.00", "to", "3.00)", "2.50", "(2.00", "to", "3.00)"),
    ]
    assert row["sb3, whole"][2:5] == ["0", "of", "2"]
    assert row["sb3, whole"][-3:] == ["never", "reaches", "it"]
