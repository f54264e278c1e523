"""Search the hand-in's text for what explains an error.

The text is only searched line by line, because hostile text can be no Python at all.
"""

import re

# The arguments of the starter's functions, in their order.
ARGUMENTS = {
    "update_Q_TD0": "Q states actions rewards next_states terminateds alpha gamma",
    "discounted_returns": "rewards gamma",
    "mc_loss": "theta_Q model states actions rewards gamma",
    "q_network": "key state_dim num_actions",
    "epsilon_greedy": "key q_values epsilon",
    "td_loss": "theta_Q theta_T model batch gamma",
    "td_update": "theta_Q theta_T model batch optimizer opt_state gamma",
    "sync_target": "theta_Q theta_T step period",
}
MOST_LINES, MOST_LETTERS = 40, 2000  # of a definition's head
STUB = re.compile(r"\s*raise NotImplementedError\b")
# Lines that are no statement of their own, or that other lines may need.
NO_TRIAL = re.compile(
    r"\s*(?:(?:import|from|def|class|async)\b|[@)\]}\"']|$|\w[^=(!<>]*=(?!=))"
)
AT_IMPORT = (
    "this line runs whenever dqn.py is imported: code that tries the parts out belongs "
    'under `if __name__ == "__main__":`'
)


def definition_line(lines: list[str], *names: str) -> int:
    """Return the number of the line that defines a function or class, counted from 1.

    The names are tried one after the other, until one has a definition. If this name
    has several definitions, the last one counts. The result is 0 if no name has a
    definition.

    Args:
        lines: lines of the hand-in.
        names: names that the function or class may have, in the order to try them.
    """
    for name in names:
        definition = re.compile(rf"\s*(?:async\s+)?(?:def|class)\s+{re.escape(name)}\b")
        found = [n for n, text in enumerate(lines, 1) if definition.match(text)]
        if found:
            return found[-1]
    return 0


def other_order(lines: list[str], part: str) -> str:
    """Say that a part's arguments stand in another order than in the starter; else "".

    Args:
        lines: lines of the hand-in.
        part: name of the part.
    """
    expected = ARGUMENTS.get(part, "").split()
    first = definition_line(lines, part) if expected else 0
    if not first:
        return ""
    head = lines[first - 1 : first + MOST_LINES]
    text = "\n".join(line.partition("#")[0] for line in head)[:MOST_LETTERS]
    depth, outer = 0, ""
    for letter in text[text.find("(") :]:
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0:
            break
        if depth == 1:
            outer += letter
    names = re.findall(r"[(,]\s*(\w+)", outer)
    if names == expected or sorted(names) != sorted(expected):
        return ""
    order = f"({', '.join(expected)})"
    return f"the arguments of {part} have another order than in the starter: {order}"


def left_stub(lines: list[str], line: int, name: str) -> str:
    """Say why a stub runs although the part is written; "" if the part is not written.

    Args:
        lines: lines of the hand-in.
        line: number of the line that raised `NotImplementedError`, from 1.
        name: name of the function or class as the starter defines it.
    """
    if not (0 < line <= len(lines) and STUB.match(lines[line - 1])):
        return ""
    below = next((text for text in lines[line:] if is_code(text)), "")
    same_block = below and indent(below) == indent(lines[line - 1])
    if same_block and below.lstrip()[0] not in ")]}\"'":
        return (
            f"dqn.py, line {line} still raises NotImplementedError, and what stands "
            "below it never runs: take this line out"
        )
    heads = [
        n
        for n, text in enumerate(lines)
        if re.match(rf"(?:def|class) {re.escape(name)}\b", text)
    ]
    blocks = [block_of(lines, n) for n in heads]
    if len(blocks) < 2 or not heads[-1] < line <= heads[-1] + len(blocks[-1]):
        return ""
    if all(any(map(STUB.match, block)) for block in blocks):
        return ""
    return (
        f"dqn.py, line {heads[-1] + 1} defines `{name}` once more, and raises "
        "NotImplementedError there: of several definitions the last one counts"
    )


def block_of(lines: list[str], first: int) -> list[str]:
    """Return the lines of a function or class, up to the next line at the margin.

    Args:
        lines: lines of the hand-in.
        first: index of the line that begins the definition, from 0.
    """
    for n in range(first + 1, len(lines)):
        if is_code(lines[n]) and not indent(lines[n]) and lines[n][0] != ")":
            return lines[first:n]
    return lines[first:]


def tried_out(lines: list[str], line: int, *, calls: bool) -> str:
    """Return advice on a line that runs at import, unless other lines may need it.

    Others may need an import, a definition or an assignment. The line can be one of
    several lines of an assignment.

    Args:
        lines: lines of the hand-in.
        line: number of the line, from 1.
        calls: True to give the advice only on a line that calls something.
    """
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    above = (each for each in reversed(lines[:line]) if is_code(each))
    first = next((each for each in above if not indent(each)), "")
    if any(map(NO_TRIAL.match, (first, text))):
        return ""
    return AT_IMPORT if not calls or re.search(r"\w\(", text) else ""


def is_code(line: str) -> bool:
    """Return whether a line is neither empty nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def indent(line: str) -> str:
    """Return the white space at the start of a line."""
    return line[: len(line) - len(line.lstrip())]
