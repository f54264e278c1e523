"""Write scores as CSV: a table of our own, and exports of Canvas and Moodle filled in.

In an export only cells with scores change; everything else stays to the byte, but for
a cell that a spreadsheet would compute, which gets a `'` in front.
"""
