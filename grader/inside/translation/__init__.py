"""Translate programs of the hand-in into JAX functions, operation by operation.

Each operation of a program becomes a JAX operation that the grader chooses, so XLA does
not get the hand-in's program itself. The translated function can be mapped, jitted and
differentiated like any other JAX function. It does not use derivative rules or batching
rules that the hand-in has defined. Begin to read with `translate.py`.
"""
