"""The checks: pytest files, one for each exercise."""
