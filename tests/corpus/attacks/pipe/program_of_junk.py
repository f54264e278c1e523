"""Hands over a program in which bytes have been changed.

Rows: 28
Grade: epsilon_greedy
Asserts: S R
Says: not a program|process
"""

import sys

worker = sys.modules["__main__"].Worker
own = worker.do_export


def epsilon_greedy(key, q_values, epsilon):
    return jnp.argmax(q_values, axis=1)


def do_export(self, **request):
    program = own(self, **request)["program"].copy()
    program[np.random.default_rng(0).integers(0, len(program), 200)] ^= 255
    return {"program": program}


worker.do_export = do_export
