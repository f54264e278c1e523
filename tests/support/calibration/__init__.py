"""Modules for `make calibrate`, which measures how reliable learning is.

`runs` lists the hand-ins to measure, and reads and writes runs. `trial` makes one run.
`statistics` computes statistics of runs. `table` makes the page
`tests/evidence/CALIBRATION.md` from the runs.
"""
