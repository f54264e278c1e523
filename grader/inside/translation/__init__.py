"""Translate programs of the hand-in into JAX functions, operation by operation.

Each operation of a program becomes a JAX operation that the grader chooses. So XLA gets
nothing of the hand-in's program itself. The translated function can be mapped, jitted
and differentiated like any other JAX function. It does not use derivative rules or
batching rules that the hand-in has defined.
"""
