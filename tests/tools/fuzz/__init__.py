"""Fuzz the code that reads bytes from helper processes: targets, seeds, the fuzzer."""
