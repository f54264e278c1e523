"""The autograder of the deep Q-learning homework."""
