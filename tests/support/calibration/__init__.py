"""Modules for `make calibrate`, which measures how reliably hand-ins learn.

A run is one grading of exercise 9. `runs` lists the hand-ins to measure, and reads and
writes runs. `trial` makes one run. `statistics` computes statistics of runs. `table`
makes the page `tests/evidence/CALIBRATION.md` from the runs.
"""
