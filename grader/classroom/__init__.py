"""Grade a whole class: `python -m grader.classroom`, for staff."""
