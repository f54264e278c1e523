"""Write scores as CSV: into `grades.csv`, and into an exported gradebook.

Canvas, Moodle, Blackboard and Brightspace export a gradebook as a CSV file. This
package calls the file an export, and changes only the cells for scores. There is one
exception: a cell that a spreadsheet would take for a formula gets a `'` in front.
"""
