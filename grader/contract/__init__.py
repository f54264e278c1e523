"""What is asked: exercises, cases, comparison, outcomes, limits and seeds.

Pure: no process is started and no file is written. `exercises` is the registry. Imports
no other room.
"""
