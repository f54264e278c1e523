"""Write scores as CSV: into `grades.csv`, and into gradebooks of Canvas and Moodle.

Canvas and Moodle export a gradebook as a CSV file, here called an export. Only its
cells for scores are changed. There is one exception: a cell that a spreadsheet would
take for a formula gets a `'` before its text.
"""
