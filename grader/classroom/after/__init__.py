"""Do what staff ask for on the day after a class was graded.

`who` finds a hand-in by a name, `roster` says who handed in nothing, `regrade` grades
one hand-in anew, `adjust` changes scores by a file, and `feedback` packs the reports
for the learning platform.
"""
