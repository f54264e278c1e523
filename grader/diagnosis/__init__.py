"""What a wrong answer is called: a known mistake, or what was measured.

Runs in the grader's process and asks the hand-in through `oracle`. `probes` has the
questions by whose answers known mistakes are recognised; `measurements` and
`target_inference` read facts off; `learning_failures` says why learning failed.
Imports `contract` and `oracle`.
"""
