"""Find out what a wrong `ReplayBuffer` does, from its answers to scripts.

A script is a list of operations on a new buffer, such as adds and samples. The module
`asked` plays the scripts and collects the findings. A finding is one difference from a
right buffer. To add a mistake, add a line to a table: in `stores` for what is stored,
in `places` for what is drawn, in `changes` for changed values.

The code runs in the grader's process and asks the hand-in through the interface
`Student`. It imports `contract` and `diagnosis`.
"""
