"""What `make calibrate` measures: stored runs, their statistics, and the table.

`runs` has the hand-ins to measure and reads and writes the runs, `trial` makes one run,
`statistics` has numbers on the runs, and `table` makes the page
`tests/evidence/CALIBRATION.md` of them.
"""
