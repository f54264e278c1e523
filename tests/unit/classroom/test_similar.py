"""Disguised copies are found; right hand-ins in other styles are no copies.

Hand-ins are compared in a normal form: the code without comments, the student's names,
order of definitions and useless statements. The share of two hand-ins says how much of
the smaller one's code is also in the other one, from 0 to 1.
"""

import ast
import random
import re
from collections.abc import Callable

import pytest

from grader.classroom.similar.clusters import Findings, compare
from grader.classroom.similar.normal_form import normal_form
from grader.intake.submission import Submission
from tests.corpus.variants import WHOLE
from tests.support.edits import ROOT, SOLUTION

STARTER = (ROOT / "starter" / "dqn.py").read_text(encoding="utf-8")
STYLES = {variant.name: variant.source for variant in WHOLE}
ORIGINALS = {name: STYLES[name] for name in ("object oriented", "one letter names")}
ORIGINALS["solution"] = SOLUTION


def found(**texts: str | bytes) -> Findings:
    """Compare hand-ins, and return the result of the comparison.

    Args:
        texts: the text of each hand-in, by the hand-in's name.
    """
    sources = {
        name: text if isinstance(text, bytes) else text.encode()
        for name, text in texts.items()
    }
    return compare({name: Submission("x", text) for name, text in sources.items()})


def clusters(**texts: str | bytes) -> list[tuple[str, ...]]:
    """Return the clusters of copies; a cluster is a tuple of the hand-ins' names.

    Args:
        texts: the text of each hand-in, by the hand-in's name.
    """
    return [cluster.names for cluster in found(**texts).clusters]


def renamed(text: str) -> str:
    """Return the code with other names for variables, attributes and arguments."""
    nodes = [*ast.walk(ast.parse(text))]
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and is_stored(n)}
    stored |= {n.attr for n in nodes if isinstance(n, ast.Attribute) and is_stored(n)}
    stored |= {node.arg for node in nodes if isinstance(node, ast.arg)} - {"self"}
    for name in stored:  # names in quotes and keywords stay
        text = re.sub(rf"(?<![\w'\"]){name}\b(?!['\"]|=\w)", f"my_{name}_2", text)
    return text


def is_stored(node: ast.Name | ast.Attribute) -> bool:
    """Tell whether the code assigns a value to this name or attribute."""
    return isinstance(node.ctx, ast.Store)


def reordered(text: str) -> str:
    """Return the code without comments, with functions and classes in reverse order."""
    body = ast.parse(text).body
    kinds = (ast.FunctionDef, ast.ClassDef)
    parts = [node for node in body if isinstance(node, kinds)]
    rest = [node for node in body if not isinstance(node, kinds)]
    return ast.unparse(ast.Module([*rest, *reversed(parts)], []))


def padded(text: str, seed: int = 0) -> str:
    """Return the code with useless statements between the statements of functions.

    Args:
        text: the code.
        seed: seed of the useless statements.
    """
    draw = random.Random(seed)

    def padding() -> list[ast.stmt]:
        n, m = draw.randint(1, 999), draw.randint(1, 999)
        return ast.parse(
            draw.choice(
                [
                    f"junk{n} = [k * {m} + {n} for k in range({m})]\njunk{n}[0] + {n}",
                    f"if 0:\n    total{n} = sum(range({n})) ** {m}\n    raise total{n}",
                    f"for k{n} in range({m}):\n    kept{n} = k{n} % {m} - {n}",
                    f"print({n} * {m} - {n})\npass",
                    f"def unused{n}(a, b):\n    return a * {n} + b * {m} - a ** b",
                    f"checked(float({n}) + {m}, [{n}, {m}])",
                ]
            )
        ).body

    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = [new for old in node.body for new in (*padding(), old)]
    returned = f"(a - {seed}) * len(b) + b[0] ** {seed}"
    return f"{ast.unparse(tree)}\ndef checked(a, b):\n    return {returned}\n"


def annotated(text: str) -> str:
    """Return the code with another type annotation for each argument."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for argument in node.args.args:
                argument.annotation = ast.Constant("an argument")
    return ast.unparse(tree)


def commented(text: str) -> str:
    """Return the code after a docstring and a comment, each of about 100 kB."""
    return f'"""{"More to read. " * 8000}"""\n# {"padding " * 12500}\n{text}'


DISGUISES: dict[str, Callable[[str], str]] = {
    "renamed": renamed,
    "reordered": reordered,
    "padded": padded,
    "commented": commented,
    "run from a string": lambda text: f"import jax\nexec({text!r})\n",
    "run from a docstring": lambda text: f"{text!r}\nexec(__doc__)\n",
    "annotated": annotated,
    "in another coding": lambda text: f"# coding: utf-7\n{text}",
    "replaced below": lambda text: f"def td_loss(a, b):\n    return a - b * 2\n{text}",
    "all at once": lambda text: commented(padded(renamed(reordered(text)), 1)),
}


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
@pytest.mark.parametrize("original", ORIGINALS)
def test_a_disguised_copy_is_found(original, disguise):
    """A disguised copy and its original form a cluster.

    No other hand-in of the comparison is in a cluster.
    """
    copy = disguise(ORIGINALS[original])
    assert copy != ORIGINALS[original]
    texts = {**STYLES, original: ORIGINALS[original], "copy": copy}
    assert clusters(**texts) == [("copy", original)]


def test_right_hand_ins_in_other_styles_are_not_copies():
    """The solution and right hand-ins in other styles form no cluster."""
    assert clusters(solution=SOLUTION, **STYLES) == []


def test_copies_are_shown_as_clusters():
    """Clusters with more hand-ins come first, then clusters with a larger share."""
    one, other, third = ORIGINALS.values()
    findings = found(
        **{"a": one, "b": padded(one), "c": third, "d": third},
        **{"e": other, "f": padded(other, 1), "g": padded(other, 2)},
    )
    names = [cluster.names for cluster in findings.clusters]
    assert names == [("e", "f", "g"), ("c", "d"), ("a", "b")]
    assert [cluster.share == 1 for cluster in findings.clusters] == [False, True, False]
    assert all(0.7 <= cluster.share <= 1 for cluster in findings.clusters)


CODE = """
import jax.numpy as jnp
class Memory:
    def __init__(self, size):
        self.size = size + 3 * size
    def mean(self, x):
        return jnp.stack(self.size + x, axis=2 * x).mean(3 + x)
def td_loss(a, b):
    def total(x):
        return x * 2 + x ** 3
    c = total(a) - total(b) * Memory(a).mean(b)
    return c + sum([a, b, c])
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"\bc\b", "my_c"),
        ("Memory", "Store"),
        ("total", "whole"),
        ("self.size", "self.length"),
        ("self", "this"),
        ("self, size", "self, size: 'a' + 'b' * 3"),
        (r"\(a, b\):", "(a: 2 + 3 * 4, b) -> 3 * 4 + 5:"),
        ("import jax.numpy as jnp", "from jax import numpy as jnp"),
        (
            "import jax.numpy as jnp(?s:(.*))jnp.stack",
            r"from jax.numpy import stack\1stack",
        ),
        ("import jax.numpy as jnp(?s:(.*))jnp", r"import jax\1jax.numpy"),
        ("axis=2", "2"),
        ("    c =", "    d = b * 3 + a ** 2\n    c ="),
        ("    c =", "    d = b * 3 + a ** 2\n    e = d + d * d\n    c ="),
        ("    c =", "    d: int = b * 3 + a ** 2\n    d += 3 * a + b\n    c ="),
        ("    c =", "    a * 3 + b ** 2\n    print(a * 3 + b)\n    c ="),
        ("    c =", "    if 0:\n        b = a * 3 + b ** 2\n    c ="),
        ("    c =", "    while a:\n        d = a * 3 + b ** 2\n    c ="),
        ("    c =", "    'one' 'two'\n    pass\n    c ="),
        ("    c =", "    if True:\n        c ="),
        ("    return c(.*)", r"    return c\1\n    return a * 3 + b ** 2"),
        ("def td_loss", "def unused(x):\n    return x * 3 + x ** 2\ndef td_loss"),
        ("def td_loss", "def td_loss(x):\n    return x * 3 + x ** 2\ndef td_loss"),
        (
            "    def mean",
            "    def unused(self):\n        return 3 * 4 + 5\n    def mean",
        ),
    ],
)
def test_a_disguise_does_not_change_the_normal_form(old, new):
    """A disguise, such as other names, does not change the normal form of the code."""
    changed = re.sub(old, new, CODE)
    assert changed != CODE
    ast.parse(changed)
    assert normal_form(changed).units == normal_form(CODE).units


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"x \* 2", "x / 2"),
        (r"\* 2", "* 4"),
        (r"\* 2", "* 2.0"),
        ("total\\(b", "total(a"),
        ("stack", "concatenate"),
        (r"mean\(3", "max(3"),
        (r"sum\(", "max("),
    ],
)
def test_other_operations_change_the_normal_form(old, new):
    """Another operator, constant, operand or library function gives another form."""
    changed = re.sub(old, new, CODE)
    assert changed != CODE
    assert normal_form(changed).units != normal_form(CODE).units


def test_the_share_counts_the_smaller_hand_in():
    """A copy with much additional code still has the share 1 with its original.

    The reason is that the share refers to the smaller of the two hand-ins.
    """
    numbers = range(200)
    more = "".join(f"def f{n}(x):\n    return x ** {n} - {n} * x\n" for n in numbers)
    copy = f"{SOLUTION}\n{more}\nuse({', '.join(f'f{n}' for n in numbers)})\n"
    (cluster,) = found(a=SOLUTION, b=copy).clusters
    assert cluster.share == 1


def test_the_median_is_that_of_all_pairs():
    """The median is that of the shares of all pairs of hand-ins; None without a pair.

    Here one pair has a large share and two have small ones, so the median is small.
    """
    texts = {"a": SOLUTION, "b": SOLUTION, "c": STYLES["one letter names"]}
    median = found(**texts).median
    assert median is not None
    assert median < 0.2
    assert found(a=SOLUTION).median is None


def test_the_starter_does_not_count():
    """Hand-ins are not compared if they add little or nothing to the starter."""
    one = STARTER.replace(
        'raise NotImplementedError("Exercise 8: sync_target")', "return theta_Q"
    )
    assert one != STARTER
    findings = found(a=one, b=one + "\nx = 1\n", c=STARTER, d=STARTER, e="", f="")
    assert findings.clusters == []
    assert findings.too_short == ["a", "b"]
    assert normal_form(STARTER).units == frozenset()


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (b"\xff\x00" * 999, "it cannot be read as Python"),
        (b"x = 1\0", "it cannot be read as Python"),
        (b"(" * 9999, "it cannot be read as Python"),
        (b"f'{" * 9999, "it cannot be read as Python"),
        (b"x = " + b"9" * 5000, "it cannot be read as Python"),
        (b"x" + b".x" * 20_000, "its code is nested too deeply"),
        (b"x = " + b"not " * 20_000 + b"x", "its code is nested too deeply"),
        (b"x;" * 40_000, "it has too much code"),
        (b"x;" * 60_000, "it has more than 100 kB of code"),
        (b"f'" + b"{x}" * 600_000 + b"'", "it has more than 100 kB of code"),
        (b"\\'''" * 250_000, "it cannot be read as Python"),
    ],
    ids=lambda value: str(value[:12]),
)
def test_odd_texts_are_not_compared(odd, why):
    """A text that cannot be compared is listed with the reason.

    All other hand-ins are compared.
    """
    findings = found(odd=odd, a=SOLUTION, b=SOLUTION + "\n#")
    assert findings.not_compared == [("odd", why)]
    assert [cluster.names for cluster in findings.clusters] == [("a", "b")]


@pytest.mark.parametrize(
    "code",
    [
        'exec("x = \\"\\ud800\\"")',
        "exec(b'\\xff = 1')",
        f"exec({'(' * 99!r}); exec({'x' + '.x' * 20_000!r}); exec({'x;' * 60_000!r})",
        "x = '" + "y; " * 100_000 + "'; eval(x)",
    ],
    ids=lambda code: code[:12],
)
def test_odd_strings_are_mentioned(code):
    """A hand-in with an unusual string is compared; the result mentions the string."""
    findings = found(a=f"{SOLUTION}\n{code}\n", b=SOLUTION)
    assert [cluster.names for cluster in findings.clusters] == [("a", "b")]
    assert {name for name, _ in findings.in_strings} == {"a"}


def test_code_in_strings_is_compared_up_to_a_length():
    """Code in a string is compared if the string has at most 100 kB."""
    units = normal_form("use(a + b * c)").units
    assert len(units) == 3
    for blanks, number in ((90_000, 3), (110_000, 0)):
        text = "use(a + b * c)" + " " * blanks
        assert len(normal_form(f"exec({text!r})").units) == number


LONG = "QUJD" * 101


@pytest.mark.parametrize(
    ("code", "sentences"),
    [
        ("exec('x = 1')", ["runs a text as code: line 2"]),
        ("run = eval", ["runs a text as code: line 2"]),
        ("import builtins\nbuiltins.exec(x)", ["runs a text as code: line 3"]),
        (f"x = '{LONG}'", ["keeps code or data in a string: line 2"]),
        (f"def f():\n    return b'{LONG}'", ["keeps code or data in a string: line 3"]),
        (
            "exec(x)\n" * 5,
            ["runs a text as code: line 2; line 3; line 4; and 2 more"],
        ),
        (
            f"exec('{LONG}')",
            ["runs a text as code: line 2", "keeps code or data in a string: line 2"],
        ),
        (f"'{LONG}'", []),
        (f"def f():\n    '''{LONG}'''\n    x()\n    '{LONG}'", []),
        (f"# {LONG}\nx = '{LONG[:400]}'", []),
        ("import re\nre.compile(x)\nmodel.eval()", []),
        ("def eval(model):\n    return model\neval(3)", []),
    ],
)
def test_code_in_strings_is_mentioned(code, sentences):
    """The result names the lines that run a text as code or use a long string."""
    findings = found(a=f"import jax\n{code}\n", b="import jax\n")
    assert findings.in_strings == [("a", sentence) for sentence in sentences]


def test_a_notebook_is_read_by_cells():
    """A notebook's cell that is no Python is left out of the comparison.

    The result gives a line by its number within its cell.
    """
    text = f"this is no code\n{SOLUTION}\nx = 1\nexec('y')\n"
    lines = SOLUTION.count("\n")
    cells = (0, 1, lines + 2)
    notebook = Submission("x.ipynb", text.encode(), cells=cells)
    findings = compare({"a": notebook, "b": Submission("x", SOLUTION.encode())})
    assert [cluster.names for cluster in findings.clusters] == [("a", "b")]
    assert findings.in_strings == [("a", "runs a text as code: cell 3, line 2")]


def test_comments_in_another_encoding_are_not_compared():
    """No comment is compared, even if a declared encoding would turn it into code."""
    hidden = "# coding: utf-7\n" + "".join(
        f"# +AAo-{line}\n" for line in SOLUTION.splitlines()
    )
    findings = found(a=hidden + "x = 1\n", b=SOLUTION)
    assert findings.clusters == []
    assert findings.too_short == ["a"]
