"""Which formula a wrong part computes, found in a grammar of what people write.

Runs in the grader's process. `rows` are the numbers of one question; `reward`, `mask`,
`target` and `value` hold the choices of a target; `combine` makes targets of them, and
`constants` solves for what no list has. `losses` and `table` read one kind of part
each.
Imports `contract`.
"""
