"""Fuzzing of the code that reads bytes of a hand-in: targets, seeds and the fuzzer."""
