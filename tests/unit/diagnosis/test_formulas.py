"""The reader finds the formula of a loss or of a table's update from answers alone."""

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from grader.contract.case import Answer, Case
from grader.contract.outcomes import Raised
from grader.contract.stand_in import stand_in_returns
from grader.diagnosis.formulas.combine import target_of
from grader.diagnosis.formulas.grammar import Choice, Formula
from grader.diagnosis.formulas.losses import mc_loss, td_loss
from grader.diagnosis.formulas.losses.loss import errors, huber, loss_of
from grader.diagnosis.formulas.losses.search import Language
from grader.diagnosis.formulas.losses.words import in_steps
from grader.diagnosis.formulas.rows import STEP, nearby, rows_of
from grader.diagnosis.formulas.table import step_words as words_of_steps
from grader.diagnosis.formulas.table import td0
from grader.diagnosis.formulas.table.episode import Episode
from grader.diagnosis.formulas.table.step_size import Size
from grader.diagnosis.reading import Difference

MAX_WIDTH = 76


class Loss:
    """A fake hand-in whose loss follows a given formula, computed with NumPy.

    Args:
        language: the grammar of the part's formulas.
        formula: the formula of the loss.
        factor: a number by which the loss is multiplied.
        penalty: weight of a further term of the loss, the sum of all squared
            parameters.
    """

    def __init__(
        self,
        language: Language,
        formula: Formula,
        factor: float = 1.0,
        penalty: float = 0.0,
    ) -> None:
        self.language, self.formula = language, formula
        self.factor, self.penalty = factor, penalty

    def answer(self, case: Case) -> Answer:
        """Return the loss and its gradient by θ_Q."""
        view, target_of = self.formula["view"].compute, self.language.target_of
        rows = rows_of(case)
        unmoved, moved = view(rows), view(nearby(case, rows))
        theta = case.args["theta_Q"]
        flat = np.concatenate([leaf.ravel() for leaf in theta]).astype(np.float64)
        with np.errstate(all="ignore"):
            y = target_of(unmoved, self.formula)
            loss = self.factor * loss_of(unmoved, self.formula, y)
            e = errors(unmoved, self.formula, y)
            losses = loss_of(moved, self.formula, target_of(moved, self.formula), e)
        up, down = np.split(np.broadcast_to(losses, (2 * flat.size,)), 2)
        slope = self.factor * (up - down) / (2 * STEP) + 2 * self.penalty * flat
        loss = loss + self.penalty * (flat**2).sum()
        ends = np.cumsum([leaf.size for leaf in theta])[:-1]
        grads = [
            part.reshape(leaf.shape).astype(np.float32)
            for part, leaf in zip(np.split(slope, ends), theta, strict=True)
        ]
        return Answer(loss=np.asarray(loss, np.float32), grads=grads)


class Update:
    """A fake hand-in whose update of the table Q follows a given formula.

    Args:
        formula: the formula of the update.
        size: a number by which the step size α is multiplied.
    """

    def __init__(self, formula: Formula, size: float = 1.0) -> None:
        self.formula, self.size = formula, size

    def answer(self, case: Case) -> Answer:
        """Return the table Q after the update."""
        sample = Episode(case, case.args["Q"])
        size = self.size * sample.alpha
        with np.errstate(all="ignore"):
            table = sample.table(self.formula, size, online=False)
        return Answer(Q=table.astype(np.float32))


def other(formula: Formula, **choices: str | Choice) -> Formula:
    """Return a formula in which some terms are replaced.

    Args:
        formula: the formula of `td_loss`, `mc_loss` or `update_Q_TD0`.
        choices: for each slot (a term of the grammar), the new choice for this slot, or
            the text of the choice.
    """
    if "label" in formula.choices:
        grammars = mc_loss.LANGUAGE.halves
    elif "cell" in formula.choices:
        grammars = (td0.TARGET, td0.STEP, td0.WHOLE)
    else:
        grammars = td_loss.LANGUAGE.halves
    slots = {slot: found for one in grammars for slot, found in one.slots.items()}
    return formula.changed(
        None,
        **{
            slot: choice
            if isinstance(choice, Choice)
            else next(one for one in slots[slot] if one.words == choice)
            for slot, choice in choices.items()
        },
    )


def read(part, student, seed=0):
    return part.read(student, np.random.default_rng(seed))


def names(reading):
    return [d.name for d in reading.differences] if reading else []


RIGHT = td_loss.LANGUAGE.right


@pytest.mark.parametrize(
    ("choices", "factor", "name"),
    [
        ({"mask": ""}, 1, "td-no-mask"),
        ({"join": "{M} ({R} + {M} {D} {V})"}, 1, "td-mask-whole-target"),
        ({"discount": "γ^i"}, 1, "td-gamma-t"),
        ({"net": "Q({s},{a}; θ_Q)"}, 1, "td-target-by-online"),
        ({"net": "Q({s},{a}; θ_Q, held fixed)"}, 1, "td-target-by-online-stopped"),
        ({"reduce": "<argmax_b Q(s′,b; θ_Q)>"}, 1, "td-double"),
        ({"reduce": "max(0, max_a <a>)"}, 1, "td-max-from-zero"),
        ({"reduce": "max_a <a>, [B, 1] against [B],"}, 1, "td-keepdims"),
        ({"by": "θ_Q, held fixed"}, 1, "td-pred-stopped"),
        ({"pairing": "{p}[:, None]"}, 1, "td-B1-B"),
        ({"weight": "|e| / max |e| "}, 1, "td-weighted-by-error"),
        ({"reduction": "√ mean {f}"}, 1, "td-rmse"),
        ({}, 0.5, "td-half"),
        ({}, -1, "td-negative"),
    ],
)
def test_one_mistake_is_named(choices, factor, name):
    """A loss with one wrong term or a wrong factor gets the name of this mistake."""
    student = Loss(td_loss.LANGUAGE, other(RIGHT, **choices), factor)
    for seed in (0, 1):
        assert names(read(td_loss, student, seed)) == [name]


@pytest.mark.parametrize(
    ("choices", "factor", "expected"),
    [
        ({"mask": "", "reduce": "min_a <a>"}, 1, {"td-no-mask", "td-min"}),
        ({"mask": "d", "error": "Huber({e})"}, 1, {"td-mask-inverted", "td-huber"}),
        (
            {"reward": "0", "predict": "Q(s,·; θ_Q)"},
            1,
            {"td-no-reward", "td-all-actions"},
        ),
        ({"state": "s"}, 0.5, {"td-s-for-next", "td-half"}),
        (
            {"mask": "", "discount": "", "error": "|{e}|"},
            1,
            {"td-no-mask", "td-gamma-missing", "td-mae"},
        ),
    ],
)
def test_several_mistakes_are_all_named(choices, factor, expected):
    """A loss with several mistakes gets the name of each mistake."""
    student = Loss(td_loss.LANGUAGE, other(RIGHT, **choices), factor)
    assert set(names(read(td_loss, student))) == expected


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (
            {"discount": Choice("", lambda x: 0.973)},
            "y = r + ¬d 0.973 max_a Q(s′,a; θ_T)",
        ),
        (
            {"reward": Choice("", lambda x: x.r / 200)},
            "y = 0.005 r + ¬d γ max_a Q(s′,a; θ_T)",
        ),
        (
            {"after": Choice("", lambda x, y: np.clip(y, -50, 50))},
            "y = clip(r + ¬d γ max_a Q(s′,a; θ_T), −50, 50)",
        ),
        (
            {"error": Choice("", huber(2.5))},
            "L = mean Huber_2.5(Q(s,a; θ_Q) − y)",
        ),
        (
            {"error": Choice("", lambda e: np.clip(e, -3, 3) ** 2)},
            "L = mean clip_3(Q(s,a; θ_Q) − y)²",
        ),
    ],
)
def test_a_constant_in_no_list_is_found(choices, words):
    """The reader finds constants that are not in the grammar.

    The formula in the reading shows the constant, such as 0.973 in place of γ.
    """
    student = Loss(td_loss.LANGUAGE, other(RIGHT, **choices))
    assert read(td_loss, student).computes == words


def test_words_and_table():
    """The reading has the hand-in's formula, the right formula, and a table.

    A row of the table shows a transition, the hand-in's y and the right y.
    """
    formula = other(RIGHT, mask="", net="Q({s},{a}; θ_Q)")
    reading = read(td_loss, Loss(td_loss.LANGUAGE, formula))
    assert reading.computes == "y = r + γ max_a Q(s′,a; θ_Q)"
    assert reading.asked == "y = r + ¬d γ max_a Q(s′,a; θ_T)"
    assert len(reading.table) == 7
    assert max(map(len, reading.table)) <= MAX_WIDTH
    assert reading.table[0] == "another batch, γ = 0.7:"
    head = reading.table[1]
    assert head.split()[:3] == ["a", "r", "d"]
    assert head.split()[-4:] == ["your", "y", "right", "y"]
    for line in reading.table[2:]:
        numbers = [float(x) for x in line.split()]
        reward, of_Q, own = numbers[1], numbers[7:11], numbers[11]
        assert own == pytest.approx(reward + 0.7 * max(of_Q), abs=0.02)


def test_sizes_have_the_letter_of_the_part():
    """A batch has B transitions, and an episode T steps.

    The hints and the formulas of `mc_loss` speak of an episode.
    """
    for part, size, other_size in ((td_loss, "B", "T"), (mc_loss, "T", "B")):
        formula = other(part.LANGUAGE.right, pairing="{p}[:, None]")
        (hint,) = (d.hint for d in read(part, Loss(part.LANGUAGE, formula)).differences)
        assert f"[{size}, 1] minus [{size}]" in hint
        assert f"[{other_size}" not in hint
    assert in_steps("L = B A mean of a batch") == "L = T A mean of an episode"
    assert in_steps("B² (Bellman): the batch") == "T² (Bellman): the episode"


def test_the_table_of_an_update_names_its_question():
    """The table of steps stands below the α and γ that its numbers were made with."""
    reading = read(td0, Update(other(td0.RIGHT, discount="γ^i")))
    head, *table = reading.table
    gamma = float(re.fullmatch(r"another episode, α = [\d.]+, γ = ([\d.]+):", head)[1])
    assert table[0].split()[-4:] == ["your", "y", "right", "y"]
    for i, line in enumerate(table[1:]):
        *_, r, _, ends, a, b, c, own, right = map(float, line.split())
        future = (1 - ends) * max(a, b, c)
        assert right == pytest.approx(r + gamma * future, abs=0.02)
        assert own == pytest.approx(r + gamma**i * future, abs=0.02)


@pytest.mark.parametrize(
    "choices",
    [
        {"mask": "(0 in the last row, else 1)"},
        {"state": "s of the row below (in a circle)"},
        {"revisits": "the last visit to a cell counts alone"},
        {"revisits": "the moves of one cell are averaged"},
        {"after": "clip({y}, −100, 100)"},
        {"after": Choice("", lambda x, y: np.clip(y, -500, 500))},
        {"cell": "Q(s′,a)"},
    ],
)
def test_the_table_of_an_update_shows_what_is_wrong(choices):
    """In some row of the table, the code's number clearly is not the right one."""
    _, _, *rows = read(td0, Update(other(td0.RIGHT, **choices))).table
    numbers = [[float(x) for x in row.split()[-2:]] for row in rows]
    assert max(abs(own - right) / max(abs(own), 1) for own, right in numbers) > 0.05


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("online", [False, True])
def test_right_values_are_those_of_the_order_of_the_code(online, seed):
    """A table shows the right new Q of all steps at once, or of one after the other."""
    asked = td0.QUESTIONS(np.random.default_rng(seed))
    case = next(case for case in asked if Episode(case, case.args["Q"]).revisits)
    sample = Episode(case, case.args["Q"].astype(np.float64))
    after = sample.table(td0.RIGHT, 2 * sample.alpha, online=online)
    known = [Episode(case, after.astype(np.float32).astype(np.float64))]
    _, head, *rows = words_of_steps.reading(
        td0.RIGHT, Size(2.0, "α"), td0.RIGHT, known
    ).table
    assert head.split()[-6:] == ["your", "new", "Q", "right", "new", "Q"]
    right = sample.table(td0.RIGHT, sample.alpha, online=online)
    for row in rows:
        s, a, *_, own, expected = row.split()
        assert float(own) == pytest.approx(after[int(s), int(a)], 1e-3)
        assert float(expected) == pytest.approx(right[int(s), int(a)], 1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_a_cell_that_is_visited_once_is_right_if_the_last_visit_counts(seed):
    """If the last of several visits counts alone, no other cell is called wrong."""
    formula = other(td0.RIGHT, revisits="the last visit to a cell counts alone")
    samples = [
        Episode(case, Update(formula).answer(case).array("Q").astype(np.float64))
        for case in td0.QUESTIONS(np.random.default_rng(seed))
    ]
    _, _, *rows = words_of_steps.reading(
        formula.changed(Difference("x", "y")), Size(1.0, "α"), td0.RIGHT, samples
    ).table
    cells = [tuple(row.split()[:2]) for row in rows]
    for place, row in zip(cells, rows, strict=True):
        own, right = map(float, row.split()[-2:])
        assert (own == pytest.approx(right, 1e-3)) == (cells.count(place) == 1)


def test_a_table_without_a_difference_is_left_out():
    """If no asked episode shows a difference in numbers, no table is shown."""
    case = td0.QUESTIONS(np.random.default_rng(3))[0]
    right = Update(td0.RIGHT).answer(case).array("Q")
    formula = other(td0.RIGHT, cell="Q(s,·)").changed(Difference("x", "y"))
    sample, size = Episode(case, right.astype(np.float64)), Size(1.0, "α")
    assert words_of_steps.reading(formula, size, td0.RIGHT, [sample]).table == ()


def test_flags_are_named_in_every_part():
    """The hint on flags that are not looked at is true for both names of the flags."""
    reading = read(td0, Update(other(td0.RIGHT, mask="(0 in the last row, else 1)")))
    (hint,) = (difference.hint for difference in reading.differences)
    assert "never look at d, which says" in hint
    assert "`terminated`" not in hint


def test_a_table_has_no_networks_and_no_batch():
    """What is said of an update is true for a table and for the steps of an episode."""
    case = td0.QUESTIONS(np.random.default_rng(3))[0]
    sample, size = Episode(case, case.args["Q"]), Size(1.0, "α")
    foreign = r"θ_|\brows?\b|batch|transition|drawn|Network|Replay|Deep Q|,,"
    for grammar in (td0.TARGET, td0.STEP, td0.WHOLE):
        for numbers, which in zip(*grammar.combinations(1), strict=True):
            formula = td0.joined(td0.RIGHT, grammar.formula(numbers, which))
            found = words_of_steps.reading(formula, size, td0.RIGHT, [sample])
            said = [found.computes, found.asked, *(d.hint for d in found.differences)]
            assert not re.search(foreign, " ".join(said)), said


def test_a_hint_on_a_table_knows_that_its_steps_follow_one_another():
    """Hints that hold for a batch of a loss have other words for an episode."""
    reading = read(td0, Update(other(td0.RIGHT, mask="¬any(d)")))
    (hint,) = (difference.hint for difference in reading.differences)
    assert "none of your steps has a future" in hint
    reading = read(td0, Update(other(td0.RIGHT, after="clip({y}, −10, 10)")))
    (hint,) = (difference.hint for difference in reading.differences)
    assert hint.endswith("however large (slides: Admin).")
    best = "<argmax_b Q(s,b; θ_T)>"
    reading = read(td0, Update(other(td0.RIGHT, reduce=best)))
    assert reading.computes == "y = r + ¬d γ Q(s′,argmax_b Q(s,b))"


def test_only_the_line_that_differs_is_shown():
    """If the targets y are right, the reading shows only a line "L = …", no table."""
    reading = read(td_loss, Loss(td_loss.LANGUAGE, RIGHT, 0.5))
    assert reading.computes == "L = ½ mean (Q(s,a; θ_Q) − y)²"
    assert reading.asked == "L = mean (Q(s,a; θ_Q) − y)²"
    assert reading.table == ()


def test_right_code_has_no_reading():
    """If a part follows the right formula, there is no reading."""
    assert read(td_loss, Loss(td_loss.LANGUAGE, RIGHT)) is None
    assert read(mc_loss, Loss(mc_loss.LANGUAGE, mc_loss.LANGUAGE.right)) is None
    assert read(td0, Update(td0.RIGHT)) is None


def test_an_unknown_formula_has_no_reading():
    """If no formula fits exactly, there is no reading.

    Here the loss is right except for a small penalty on the parameters.
    """
    assert read(td_loss, Loss(td_loss.LANGUAGE, RIGHT, penalty=0.01)) is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(
            loss=np.float32(np.nan).reshape(()), grads=[np.zeros((8, 3), np.float32)]
        ),
        Answer(loss=np.zeros((5, 5), np.float32), grads=[]),
        Answer(loss=np.zeros((), np.int32), grads=[np.zeros(3)] * 4),
        Answer(Q=np.full((7, 3), np.inf)),
        Answer(Q=np.zeros((0,))),
    ],
)
def test_strange_answers_have_no_reading(answer):
    """If answers have a wrong shape or NaN, `read` returns None or raises `Wrong`."""

    class Strange:
        def answer(self, case):
            return answer

    for part in (td_loss, td0, mc_loss):
        try:
            assert read(part, Strange()) is None
        except Exception as reason:
            assert type(reason).__name__ == "Wrong"  # noqa: PT017


def test_questions_that_fail_are_left_out():
    """If a hand-in fails for batches of one row, the reader uses the other answers."""

    class Fails(Loss):
        def answer(self, case: Case) -> Answer:
            if len(case.args["action"]) == 1:
                raise Raised("no")
            return super().answer(case)

    assert names(read(td_loss, Fails(td_loss.LANGUAGE, other(RIGHT, mask="")))) == [
        "td-no-mask"
    ]


@pytest.mark.parametrize(
    ("choices", "size", "expected"),
    [
        ({"mask": ""}, 1, ["tab-no-mask"]),
        ({"reduce": "<a_{i+1}>"}, 1, ["tab-sarsa"]),
        ({"cell": "Q(s,·)"}, 1, ["tab-row-update"]),
        (
            {"order": "from the last step to the first, each on the newest Q"},
            1,
            ["tab-backwards"],
        ),
        (
            {"revisits": "the last visit to a cell counts alone"},
            1,
            ["tab-dup-last-wins"],
        ),
        ({"bracket": "(α {r} + {f} − {q})"}, 1, ["tab-alpha-on-reward-only"]),
        ({"weight": "(steps with r ≠ 0) "}, 1, ["tab-skips-zero-rewards"]),
        (
            {"weight": Choice("", lambda x: 0.97 ** np.arange(x.size))},
            1,
            ["tab-step-falls"],
        ),
        ({}, 2, ["tab-double-step"]),
        ({"mask": "d"}, -1, ["tab-mask-inverted", "tab-sign-flipped"]),
    ],
)
def test_updates_of_a_table_are_read(choices, size, expected):
    """The mistakes in an update of a table are named.

    They are wrong terms, or a factor in the step size.
    """
    student = Update(other(td0.RIGHT, **choices), size)
    assert names(read(td0, student)) == expected


def evaluated(words: str, sample: Episode) -> np.ndarray:
    """Return the numbers [T] that the text of a move stands for.

    Args:
        words: the text after "moves by", with the lecture's symbols.
        sample: the episode that the symbols stand for.
    """
    rows = sample.rows
    symbols = {
        "¬d": 1 - rows.d,
        "max_a Q(s′,a)": rows.q_n.max(axis=1),
        "Q(s,a)": rows.q_s[np.arange(rows.size), rows.a],
        "α": sample.alpha,
        "γ": rows.gamma,
        "y": target_of(rows, td0.RIGHT)[0],
        "r": rows.r,
        "T": rows.size,
        "½": 0.5,
    }
    names = {"clip": np.clip, "sign": np.sign, "tanh": np.tanh}
    for i, symbol in enumerate(symbols):
        words = re.sub(rf"(?<!\w){re.escape(symbol)}(?!\w)", f"x{i}", words)
        names[f"x{i}"] = symbols[symbol]
    words = words.replace("−", "-").replace("²", "**2")
    words = re.sub(r"\|(.*)\|", r"abs(\1)", words)
    words = re.sub(r"(?<=[\w)]) (?=[\w(])", "*", words)  # a blank means "times"
    return eval(words, {}, names)


@pytest.mark.parametrize("size", [Size(1.0, "α"), *td0.SIZES], ids=lambda s: s.words)
@pytest.mark.parametrize("choices", [{}, {"weight": "¬d "}, {"predict": "0"}])
def test_the_text_of_a_move_is_the_move(choices, size):
    """The formula of a move, evaluated, is the number that is added to the cell."""
    case = td0.QUESTIONS(np.random.default_rng(3))[0]
    sample = Episode(case, case.args["Q"])
    slots = {**td0.STEP.slots, **td0.WHOLE.slots}
    for bracket in slots["bracket"]:
        for error in slots["error"] if size.growth == "α" else slots["error"][:1]:
            formula = other(td0.RIGHT, bracket=bracket, error=error, **choices)
            moves = sample.moves(
                formula, sample.before, size.at(sample.alpha, sample.steps)
            )
            text = words_of_steps.step_words(formula, size)
            _, words = text.split(" moves by ")
            assert evaluated(words, sample) == pytest.approx(moves), words


@pytest.mark.parametrize(
    ("choices", "factor", "expected"),
    [
        ({"label": "r"}, 1, ["mc-rewards-for-returns"]),
        ({"label": "(G with γ = 0.99)"}, 1, ["mc-gamma-not-passed"]),
        ({"after": "normalised({y})"}, 1, ["mc-returns-normalised"]),
        ({"predict": "max_a Q(s,a; θ_Q)"}, 1, ["mc-max-for-taken"]),
        ({"weight": "γ^i "}, 0.5, ["mc-double-discount", "mc-half"]),
    ],
)
def test_losses_on_returns_are_read(choices, factor, expected):
    """The mistakes in an `mc_loss` are named: wrong terms, or a wrong factor."""
    formula = other(mc_loss.LANGUAGE.right, **choices)
    student = Loss(mc_loss.LANGUAGE, formula, factor)
    assert names(read(mc_loss, student)) == expected


class OnReturns:
    """A fake hand-in with a right loss on labels of its own.

    Args:
        label: function (rewards [T], γ) that computes the labels [T].
    """

    def __init__(self, label) -> None:
        self.label = label

    def answer(self, case: Case) -> Answer:
        """Return the loss and its gradient by θ_Q."""
        theta, args = case.args["theta_Q"], case.args
        rows = rows_of(case)
        y = self.label(rows.r, rows.gamma)
        each = np.arange(len(y)), args["action"]
        loss = ((rows.q_s[each] - y) ** 2).mean()
        moved = nearby(case, rows).q_s[:, *each]
        up, down = np.split(((moved - y) ** 2).mean(axis=1), 2)
        slope = (up - down) / (2 * STEP)
        ends = np.cumsum([leaf.size for leaf in theta])[:-1]
        grads = [
            part.reshape(leaf.shape).astype(np.float32)
            for part, leaf in zip(np.split(slope, ends), theta, strict=True)
        ]
        return Answer(loss=np.asarray(loss, np.float32), grads=grads)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (lambda r, g: stand_in_returns(r, g)[::-1], ["mc-returns-reversed"]),
        (lambda r, g: stand_in_returns(r, g) + r, ["mc-reward-twice"]),
        (lambda r, g: -stand_in_returns(r, g), ["mc-returns-negated"]),
        # The rewards are reversed, not the returns.
        (lambda r, g: stand_in_returns(r[::-1], g), None),
        # The returns of the past: rewards and returns are reversed.
        (lambda r, g: stand_in_returns(r[::-1], g)[::-1], None),
        # The arguments of `discounted_returns` are swapped.
        (lambda r, g: -(1 + r) * g, None),
        # The labels are γ, or γ less the reward.
        (lambda r, g: g + 0 * r, None),
        (lambda r, g: g - r, None),
    ],
)
def test_how_a_loss_uses_the_returns(label, expected):
    """A mistake in the use of the returns is named only if the labels show it.

    If the labels fit no formula, none is found, not even the right one.
    """
    found = mc_loss.find(OnReturns(label), np.random.default_rng(0))
    assert names(found[0].formula if found else None) == (expected or [])
    assert bool(found) == bool(expected)


def test_right_returns_of_its_own_fit():
    """A loss on right returns that it computes itself gets no reading."""

    def right(r, g):
        return [sum(g**n * x for n, x in enumerate(r[i:])) for i in range(len(r))]

    student = OnReturns(lambda r, g: np.array(right(r, g)))
    found, _ = mc_loss.find(student, np.random.default_rng(0))
    assert not found.formula.differences


def test_a_sum_differs_from_a_constant_factor():
    """If the factor of a loss grows with the batch size B, the loss is read as a sum.

    If the factor is the same for all B, the loss is not read as a sum.
    """

    class Sum(Loss):
        def answer(self, case: Case) -> Answer:
            size = len(case.args["action"])
            return Loss(self.language, self.formula, size * self.factor).answer(case)

    assert names(read(td_loss, Sum(td_loss.LANGUAGE, RIGHT))) == ["td-sum"]
    fifth = Sum(td_loss.LANGUAGE, RIGHT, 0.2)
    assert names(read(td_loss, fifth)) == ["td-len-of-batch"]
    # `mc_loss` gets no Transition, whose `len` is 5.
    fifth = Sum(mc_loss.LANGUAGE, mc_loss.LANGUAGE.right, 0.2)
    assert names(read(mc_loss, fifth)) == ["mc-fixed-divisor"]
    reading = read(td_loss, Sum(td_loss.LANGUAGE, RIGHT, 1 / 64))
    assert reading.computes == "L = 1/64 Σ_i (Q(s,a; θ_Q) − y)²"
    assert names(read(td_loss, Loss(td_loss.LANGUAGE, RIGHT, 5.0))) == ["td-factor"]


def test_flags_of_an_integer_type_show_a_bitwise_not():
    """The reader notices the mistake `~d`, which is right for flags d of type bool.

    For flags of an integer type it is wrong, so the reader asks with such flags, too.
    """

    class Tilde(Loss):
        def answer(self, case: Case) -> Answer:
            if case.args["terminated"].dtype == bool:
                return super().answer(case)
            formula = self.formula.changed(None, mask=td_loss.TILDE)
            return Loss(self.language, formula).answer(case)

    reading = read(td_loss, Tilde(td_loss.LANGUAGE, RIGHT))
    assert names(reading) == ["td-tilde"]
    assert reading.computes == "y = r + ~d γ max_a Q(s′,a; θ_T)"


def losses_of(part, half: Formula) -> list[float]:
    """Return the losses on the reader's questions by a formula of some terms.

    Args:
        part: the reader of a loss, `td_loss` or `mc_loss`.
        half: the choices for some terms; all other terms are right.
    """
    language = part.LANGUAGE
    whole = replace(language.right, choices={**language.right.choices, **half.choices})
    rows = [rows_of(case) for case in part.QUESTIONS(np.random.default_rng(3))]
    return [float(loss_of(x, whole, language.target_of(x, whole))) for x in rows]


def tables_of(half: Formula) -> list[float]:
    """Return all numbers of the tables that `update_Q_TD0` returns by a formula.

    Args:
        half: the choices for some terms; all other terms are right.
    """
    whole = td0.joined(td0.RIGHT, half)
    numbers: list[float] = []
    for case in td0.QUESTIONS(np.random.default_rng(3)):
        sample = Episode(case, case.args["Q"])
        numbers += sample.table(whole, sample.alpha, online=False).ravel().tolist()
    return numbers


@pytest.mark.parametrize(
    ("grammars", "answers", "least"),
    [
        (td_loss.LANGUAGE.halves, partial(losses_of, td_loss), 100),
        (mc_loss.LANGUAGE.halves, partial(losses_of, mc_loss), 60),
        ((td0.TARGET, td0.STEP, td0.WHOLE), tables_of, 100),
    ],
    ids=["td_loss", "mc_loss", "update_Q_TD0"],
)
def test_each_choice_is_another_answer(grammars, answers, least):
    """Each single mistake has a hint, and answers of its own.

    Mistakes may have equal answers if they have the same name, or if they change only
    the gradient.
    """
    seen: dict[tuple[str, ...], tuple[str, str]] = {}
    for grammar in grammars:
        for one in zip(*grammar.combinations(1), strict=True):
            formula = grammar.formula(*one)
            with np.errstate(all="ignore"):
                key = tuple(f"{number:.6g}" for number in answers(formula))
            words = " ".join(c.words for c in formula.choices.values())
            name, alike = formula.differences[0].name, seen.get(key, ("", ""))
            only_by_slope = any(
                w in words + alike[1] for w in ("held", "(s,a) − 1", "|e| ")
            )
            assert key not in seen or name == alike[0] or only_by_slope, alike
            seen[key] = (name, words)
            assert formula.differences[0].hint
    assert len(seen) > least
