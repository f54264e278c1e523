"""Patterns that parts compute, each read off a hand-in's answers.

A module for each part: it asks the questions, and pure functions find the pattern that
gives all of the answers. Runs in the grader; imports `contract` and `diagnosis`.
"""
