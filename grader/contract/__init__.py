"""The contract: exercises, cases, small MDPs, comparison, outcomes, limits and seeds.

This room's code starts no process and writes no file. `exercises` is the registry of
exercises and parts. This room imports no other room.
"""
