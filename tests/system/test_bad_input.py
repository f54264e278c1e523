"""Each bad hand-in gets a complete report and loses points only for wrong exercises.

Many tests also grade the exercise `NEIGHBOUR`, which is right in the hand-in. It must
keep all of its points.
"""

import os
import re
import sys
from dataclasses import replace

import pytest

from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import GraderError
from grader.grading import pipeline
from grader.oracle import reference, runner_client, worker_client
from grader.sandbox import helper, launch
from tests.support.handins import checks_of

NEIGHBOUR = "sync_target"
# The deadline of a call that hangs. A slow, busy machine may need 4 s for a call that
# does not hang.
CALL_SECONDS = 10.0


def require_whole(report: dict, points: dict[str, int], *exercises: str) -> None:
    """Fail unless the report lists all checks of these exercises.

    Each check that has not passed must have a message. No check may be a grader error.

    Args:
        report: the parsed report.json.
        points: the largest possible score of each exercise, by the exercise's name.
        exercises: names of the graded exercises, in order.
    """
    assert [exercise["name"] for exercise in report["exercises"]] == list(exercises)
    for exercise in report["exercises"]:
        name = exercise["name"]
        assert [check["name"] for check in exercise["checks"]] == checks_of(name)
        assert exercise["max_score"] == points[name]
        for check in exercise["checks"]:
            assert check["message"] or check["outcome"] == "passed", check
            assert check["outcome"] != "grader_error"


def told(report: dict, exercise: str, outcome: str) -> str:
    """Return the messages of an exercise's checks with one outcome, joined by newlines.

    Fail if no check has this outcome.

    Args:
        report: the parsed report.json.
        exercise: name of the exercise.
        outcome: the outcome, such as "failed".
    """
    (found,) = [e for e in report["exercises"] if e["name"] == exercise]
    messages = [c["message"] for c in found["checks"] if c["outcome"] == outcome]
    assert messages, [(c["outcome"], c["message"]) for c in found["checks"]]
    return "\n".join(messages)


# ---------------------------------------------------------------- files


def test_whole_run_without_the_file(command, tmp_path, points):
    """For a folder without `dqn.py`, the exit code is 2 and one error line says why.

    The report is complete and gives 0 of 100 points.
    """
    (tmp_path / "hw.rar").write_bytes(b"Rar!\x1a\7\1\0")
    run = command("grade", tmp_path)
    problem = run.report["submission"]["problem"]
    assert (run.code, run.out, run.err) == (2, "", f"error: {problem}\n")
    assert problem.startswith("not read: there is no dqn.py in the folder")
    assert "hw.rar, a RAR archive" in problem
    require_whole(run.report, points, *EXERCISES)
    assert (run.report["score"], run.report["max_score"]) == (0, 100)


def test_no_process_for_what_is_not_read(tmp_path, grade, points, monkeypatch):
    """No helper is started for a hand-in that could not be read."""
    monkeypatch.setattr(helper, "Child", None)
    report = grade(tmp_path, "td_loss", "learning")
    require_whole(report, points, "td_loss", "learning")


def test_import_that_fails_is_said_once(command, hand_in, points):
    """If the import fails, the terminal shows the reason once, at the top.

    Below it, three lines have the points of all exercises. The exit code is 0.
    """
    source = "import numpy\nprint('so far')\nimport torch_of_mine\n"
    run = command("grade", hand_in(source=source))
    assert run.code == 0, run.err
    problem = run.report["submission"]["problem"]
    assert problem.startswith("not imported: ModuleNotFoundError: No module named 'to")
    assert "dqn.py, line 3, in <module>: import torch_of_mine" in problem
    assert problem.endswith("functions of your own belong in it")
    require_whole(run.report, points, *EXERCISES)
    lines = run.out[run.out.index("not imported") :].splitlines()
    assert "│ so far" in run.out
    assert len(lines) < 17
    assert run.out.count("torch_of_mine'") == 1
    for number, name in enumerate(EXERCISES, 1):
        assert re.search(rf"{number} {name} +0/{points[name]:g}\b", "\n".join(lines))


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("", ["dqn.py", "empty"]),
        ("x = 1\n# größer\n".encode("latin-1"), ["dqn.py", "UTF-8", "line 2"]),
        ("x = 1\n\ndef f(:\n    pass\n", ["SyntaxError", "line 3"]),
        ("def f():\n    x = 1\n  y = 2\n", ["IndentationError", "line 3"]),
        ("x = 1\0\n", ["dqn.py"]),
        ("import numpy\nimport torch_of_mine\n", ["ModuleNotFoundError", "line 2"]),
        ("x = 1\n\nprint(undefined)\n", ["NameError", "undefined", "line 3"]),
        ("import sys\nsys.exit('enough')\n", ["SystemExit", "enough", "line 2"]),
        ("raise KeyboardInterrupt\n", ["KeyboardInterrupt", "line 1"]),
        ("import os\nos._exit(0)\n", ["importing dqn.py", "exited with code 0"]),
        ("import os\nos.abort()\n", ["importing dqn.py", "aborted"]),
        ("(" * 5000 + ")" * 5000 + "\n", ["dqn.py"]),
        ("\nraise NotImplementedError('x')\n", ["NotImplementedError: x", "line 2"]),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_file_cannot_be_used(hand_in, graded, points, source, named):
    """If `dqn.py` cannot be read or imported, the report says why.

    If one line of the file is the cause, the message has the number of this line.
    """
    report = graded(hand_in(source=source), "sync_target")
    require_whole(report, points, "sync_target")
    assert report["score"] == 0
    for check in report["exercises"][0]["checks"]:
        assert all(word in check["message"] for word in named), check["message"]
    problem = report["submission"]["problem"]
    assert problem.startswith(("not read: dqn.py ", "not imported: "))
    assert "\n" not in problem
    assert all(word in problem for word in named if word != "importing dqn.py")


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")
@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "device"])
def test_no_regular_file(tmp_path, graded, points, kind):
    """A `dqn.py` that is a pipe, folder, link or device gets 0 points without delay."""
    path = tmp_path / "dqn.py"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if kind == "device" else __file__)
    report = graded(tmp_path, "sync_target")
    require_whole(report, points, "sync_target")
    assert report["score"] == 0
    assert "dqn.py" in told(report, "sync_target", "failed")


def test_import_hangs(hand_in, grade, points, monkeypatch):
    """An import that hangs is tried only once, not once for each check."""
    loads = []
    load = worker_client.WorkerClient.exchange
    monkeypatch.setattr(
        worker_client.WorkerClient,
        "exchange",
        lambda *a: (loads.append(a[2]), load(*a))[1],
    )
    path = hand_in(source="while True:\n    pass\n")
    report = grade(path, "td_loss", "sync_target", import_seconds=2.0)
    require_whole(report, points, "td_loss", "sync_target")
    assert report["score"] == 0
    assert "importing dqn.py" in told(report, "td_loss", "timeout")
    assert "within 2 s" in told(report, "sync_target", "timeout")
    assert loads == ["importing dqn.py"]


def test_half_of_the_functions(hand_in, graded, points, solution):
    """Messages name the missing functions; the other functions keep their points."""
    half = solution[: solution.index("# Exercise 5")]
    exercises = ["update_Q_TD0", "replay_buffer", "td_loss", "sync_target"]
    report = graded(hand_in(source=half), *exercises)
    require_whole(report, points, *exercises)
    assert [exercise["score"] for exercise in report["exercises"]] == [15, 0, 0, 0]
    assert "dqn.py does not define `ReplayBuffer`" in told(
        report, "replay_buffer", "failed"
    )
    assert "dqn.py does not define `td_loss`" in told(report, "td_loss", "failed")


# ---------------------------------------------------------------- text

HIDDEN = {  # comments in UTF-8 that are code in the other encoding
    "unicode_escape": "# \\u000araise SystemError('hidden')",
    "raw_unicode_escape": "# \\u000araise SystemError('hidden')",
    "utf-7": "# +AAo-raise SystemError('hidden')",
}


@pytest.mark.parametrize("encoding", [*HIDDEN, "no-such-encoding"])
def test_what_is_shown_is_what_runs(hand_in, graded, points, solution, encoding):
    """The file is read as UTF-8, whatever encoding its first line declares.

    In some declared encodings, a comment of the file would be code. This code is never
    run.
    """
    line = HIDDEN.get(encoding, "# x")
    body = "return 1 / 0  # größer"
    path = hand_in(before=f"# coding: {encoding}\n{line}", td_loss=body)
    report = graded(path, "td_loss", NEIGHBOUR)
    assert report["score"] == points[NEIGHBOUR]
    assert f": {body}" in told(report, "td_loss", "error")
    assert f"the encoding {encoding}" in report["submission"]["notes"][0]


def test_lone_carriage_returns(hand_in, graded):
    """If lines end with carriage returns only, the message shows the right line."""
    report = graded(
        hand_in(source=b"x = 1\r# \xe2\x80\xa8 \x0c\r\ny = 2\n\n1 / 0\r"), "td_loss"
    )
    problem = report["submission"]["problem"]
    assert problem.endswith("dqn.py, line 5, in <module>: 1 / 0")


# ---------------------------------------------------------------- wrong types

FUNCTIONS = {  # function: its exercise, and words of which a message must have one
    "update_Q_TD0": ("update_Q_TD0", ["update_Q_TD0", "Q"]),
    "discounted_returns": ("monte_carlo", ["discounted_returns", "G"]),
    "mc_loss": ("monte_carlo", ["mc_loss", "loss"]),
    "q_network": ("q_network", ["q_network"]),
    "epsilon_greedy": ("epsilon_greedy", ["epsilon_greedy", "action"]),
    "td_loss": ("td_loss", ["td_loss", "loss"]),
    "td_update": ("td_update", ["td_update", "td_loss"]),
}
SPOILT = list(dict.fromkeys(exercise for exercise, _ in FUNCTIONS.values()))
WRONG = [
    *("None", "'wrong'", "['a', 'b']", "{'a': 1}", "np.array([object(), None])"),
    *("jnp.sum", "[[1.0], [1.0, 2.0]]", "jnp.zeros(0)", "Transition"),
    *("jnp.full(3, jnp.nan)", "(1.0, 2.0)"),
]


@pytest.mark.parametrize("turn", range(3))
def test_wrong_types(hand_in, graded, points, turn):
    """If a part returns a value of a wrong type, a message of its exercise says so.

    The exercise `NEIGHBOUR` keeps its points. Each `turn` tries other wrong values.
    """
    values = [WRONG[(4 * turn + i) % len(WRONG)] for i in range(len(FUNCTIONS))]
    bodies = {
        name: f"return {value}" for name, value in zip(FUNCTIONS, values, strict=True)
    }
    report = graded(hand_in(bodies), *SPOILT, NEIGHBOUR)
    require_whole(report, points, *SPOILT, NEIGHBOUR)
    assert report["score"] == points[NEIGHBOUR]
    messages = {
        exercise["name"]: " ".join(check["message"] for check in exercise["checks"])
        for exercise in report["exercises"]
    }
    for exercise, words in FUNCTIONS.values():
        assert any(word in messages[exercise] for word in words), messages[exercise]


def test_arrays_that_cannot_travel(hand_in, graded, points):
    """An array with a forbidden dtype or size is a wrong answer; no process dies."""
    bodies = {
        "update_Q_TD0": "return Q * (1 + 0j)",
        "discounted_returns": "return jnp.zeros((5000, 5000))",
        "epsilon_greedy": "return jnp.zeros((1,) * 8, int)",
        "td_loss": "return jnp.zeros((), jnp.bfloat16)",
    }
    exercises = ["update_Q_TD0", "monte_carlo", "epsilon_greedy", "td_loss"]
    report = graded(hand_in(bodies), *exercises, NEIGHBOUR)
    require_whole(report, points, *exercises, NEIGHBOUR)
    for exercise in report["exercises"][:-1]:
        outcomes = {check["outcome"] for check in exercise["checks"]}
        assert "killed" not in outcomes, exercise
    assert report["exercises"][-1]["score"] == points[NEIGHBOUR]


@pytest.mark.parametrize("body", ["return 5", "return [1, 2, 3, 4, 5]"])
def test_buffer_with_wrong_samples(hand_in, graded, points, body):
    """If `sample` does not return a batch, checks of the buffer fail with a message.

    No check is a grader error.
    """
    report = graded(hand_in({"ReplayBuffer.sample": body}), "replay_buffer")
    require_whole(report, points, "replay_buffer")
    assert report["score"] <= 2  # at most for the buffer's length, which is right
    message = told(report, "replay_buffer", "failed")
    assert "sample" in message or "batch" in message


def test_buffer_with_wrong_length(hand_in, graded, points):
    """If `len(buffer)` is not a number, the message shows Python's TypeError."""
    path = hand_in({"ReplayBuffer.__len__": "return 'many'"})
    report = graded(path, "replay_buffer")
    require_whole(report, points, "replay_buffer")
    assert "TypeError" in told(report, "replay_buffer", "error")


# ---------------------------------------------------------------- forgotten debuggers


def test_forgotten_breakpoint(hand_in, graded, points):
    """The message names the line of a breakpoint in a part, and says how to debug.

    This holds for parts that are exported and for parts that are called. A right
    exercise keeps its points.
    """
    path = hand_in(
        mc_loss="x = 0\nimport pdb; pdb.set_trace()\nreturn x",
        td_loss="for x in range(3):\n    x += 1\n    breakpoint()\n# End.\nreturn 0.0",
        sync_target="breakpoint()\n\n\nreturn theta_Q",
    )
    lines = path.joinpath("dqn.py").read_text().splitlines()
    exercises = ["monte_carlo", "epsilon_greedy", "td_loss", "sync_target"]
    report = graded(path, *exercises)
    require_whole(report, points, *exercises)
    for exercise, part, call in (
        ("monte_carlo", "mc_loss", "import pdb; pdb.set_trace()"),
        ("td_loss", "td_loss", "breakpoint()"),
        ("sync_target", "sync_target", "breakpoint()"),
    ):
        messages = told(report, exercise, "error")
        assert f"{part}: BdbQuit: breakpoint() starts a debugger" in messages
        assert f"`make grade ONLY={part} INPROCESS=1`" in messages
        for number, said in re.findall(r"dqn\.py, line (\d+), in \w+: (.+)", messages):
            assert said == call == lines[int(number) - 1].strip()
    assert report["exercises"][1]["score"] == points["epsilon_greedy"]


def test_forgotten_breakpoint_at_import(hand_in, graded):
    """The message names the line of a breakpoint, also outside of all functions."""
    report = graded(hand_in(before="breakpoint()"), "sync_target")
    messages = told(report, "sync_target", "error")
    assert "importing dqn.py: BdbQuit: breakpoint() starts a debugger" in messages
    assert "dqn.py, line 1" in messages


# ---------------------------------------------------------------- calls that go astray

ENDLESS = """\
action = jnp.argmax(q_values, axis=1)
return jax.lax.while_loop(lambda x: x.max() < 99, lambda x: x % 9, action)"""
REVISITED = """\
states = np.asarray(states).tolist()
while len(set(states)) < len(states):
    pass
Q = np.array(Q)
old = Q.copy()
steps = [np.asarray(x) for x in (states, actions, rewards, next_states, terminateds)]
for s, a, r, n, d in zip(*steps, strict=True):
    Q[s, a] -= alpha * (old[s, a] - r - (not d) * gamma * old[n].max())
return Q"""


def test_hangs(hand_in, graded, points):
    """A part that hangs loses only points of its own checks.

    Two parts hang: one for some cases only, and one while it is traced.
    """
    path = hand_in(update_Q_TD0=REVISITED, td_loss="while True:\n    pass")
    exercises = ["update_Q_TD0", "td_loss", NEIGHBOUR]
    report = graded(path, *exercises, call_seconds=CALL_SECONDS, restarts=1)
    require_whole(report, points, *exercises)
    table, loss, neighbour = report["exercises"]
    outcomes = {check["name"]: check["outcome"] for check in table["checks"]}
    assert outcomes.pop("revisits") == "timeout"
    assert set(outcomes.values()) == {"passed"}
    assert loss["score"] == 0
    assert "td_loss: no answer within" in told(report, loss["name"], "timeout")
    assert "started anew 1 times: given up" in told(report, loss["name"], "killed")
    assert neighbour["score"] == points[NEIGHBOUR]


def test_program_hangs(hand_in, graded, points):
    """An exported program that hangs uses up the time of its part, and no other."""
    path = hand_in(epsilon_greedy=ENDLESS)
    exercises = ["epsilon_greedy", NEIGHBOUR]
    limits = {"call_seconds": CALL_SECONDS, "part_seconds": 2.5 * CALL_SECONDS}
    report = graded(path, *exercises, **limits)
    require_whole(report, points, *exercises)
    greedy, neighbour = report["exercises"]
    assert greedy["score"] == 0
    messages = told(report, greedy["name"], "timeout")
    assert "epsilon_greedy: no answer within" in messages
    assert "epsilon_greedy has used up" in messages
    assert neighbour["score"] == points[NEIGHBOUR]


# Hand-ins that take very long in two exercises if the whole run has no deadline; and
# the beginning of the first message, which says how the time went.
STRETCHED = {
    "the import": ({"before": "import time; time.sleep(600)"}, "importing dqn.py: "),
    "deaths": (
        {
            "before": "import os, time; time.sleep(1)",
            "td_loss": "os._exit(3)",
            "sync_target": "os._exit(3)",
        },
        "td_loss: the process exited with code 3",
    ),
    "programs": (
        {
            "td_loss": "from jax import lax\n"
            "return lax.while_loop(lambda x: x < 9, lambda x: x * 0, 0.0)",
            "sync_target": "import time; time.sleep(600)",
        },
        "td_loss: the hand-in used up the time of the whole run",
    ),
}


@pytest.mark.parametrize("by", STRETCHED)
def test_whole_run_is_used_up(hand_in, graded, points, by):
    """If a hand-in uses up the time of the whole run, grading ends at the deadline.

    The checks that were not run have the outcome timeout, and their messages say why.
    """
    exercises = ("td_loss", "sync_target")
    bodies, begins = STRETCHED[by]
    graded("solution", NEIGHBOUR)  # so that no start of a process uses up the time
    report = graded(hand_in(**bodies), *exercises, run_seconds=10.0)
    require_whole(report, points, *exercises)
    assert report["score"] == 0
    assert report["exercises"][0]["checks"][0]["message"].startswith(begins)
    for check in report["exercises"][1]["checks"]:
        assert check["outcome"] == "timeout"
        assert "the hand-in used up the time of the whole run" in check["message"]


RAISED = {
    "update_Q_TD0": ("import sys; sys.exit('bye')", ["SystemExit: bye"]),
    "q_network": ("raise KeyboardInterrupt", ["KeyboardInterrupt"]),
    "epsilon_greedy": (
        "return epsilon_greedy(key, q_values, 0.5)",
        ["RecursionError"],
    ),
    "ReplayBuffer.sample": ("raise OSError('\\x1b[2J' + 'x' * 9**6)", ["OSError"]),
    "td_loss": (
        "class E(Exception):\n    def __str__(self): exit()\nraise E",
        ["E: "],
    ),
    "sync_target": ("raise ExceptionGroup('two', [OSError(1)])", ["two"]),
}


def test_raises(hand_in, graded, points):
    """For any exception, the message names the exception, the line and the function."""
    exercises = ["update_Q_TD0", "q_network", "epsilon_greedy", "replay_buffer"]
    exercises += ["td_loss", "sync_target"]
    path = hand_in({name: body for name, (body, _) in RAISED.items()})
    report = graded(path, *exercises)
    require_whole(report, points, *exercises)
    assert report["score"] <= 2  # at most for the buffer's length, which is right
    for exercise, (name, (_, words)) in zip(exercises, RAISED.items(), strict=True):
        message = told(report, exercise, "error")
        for word in (*words, "dqn.py, line", f"in {name.rpartition('.')[2]}"):
            assert word in message, message
        assert message.replace("\n", "").isprintable()
        assert len(message) < 10_000


def test_dies_again_and_again(hand_in, graded, points):
    """Each time the worker dies, a new worker serves the next exercises."""
    deadly = {
        "update_Q_TD0": ("import os; os._exit(3)", "exited with code 3"),
        "epsilon_greedy": ("import os; os.kill(os.getpid(), 11)", "segmentation fault"),
        "td_loss": ("import os; os.closerange(3, 99)", "td_loss"),
    }
    path = hand_in({name: body for name, (body, _) in deadly.items()})
    report = graded(path, *deadly, NEIGHBOUR, spoils=True, restarts=3)
    require_whole(report, points, *deadly, NEIGHBOUR)
    for name, (_, words) in deadly.items():
        assert words in told(report, name, "killed")
    assert report["score"] == points[NEIGHBOUR]


def test_leaves_the_runner_in_ruins(hand_in, grade, points, monkeypatch):
    """If the runner dies after loading a program, the grader starts a new runner.

    The report has no grader error, and right exercises keep their points.
    """
    ask, ruined = runner_client.RunnerClient.ask_trusted, []

    def ask_in_ruins(runner, request):
        if runner.loaded and not ruined:
            ruined.append(request["do"])
            runner.child.kill()
        return ask(runner, request)

    monkeypatch.setattr(runner_client.RunnerClient, "ask_trusted", ask_in_ruins)
    report = grade(hand_in(), "td_update")
    require_whole(report, points, "td_update")
    assert ruined
    assert report["score"] == points["td_update"]


def test_prints_megabytes(hand_in, graded, points):
    """Printing megabytes costs no points; the report keeps at most 2000 characters."""
    before = "import sys\nfor i in range(100_000):\n    print(i, 'x' * 99)\n"
    before += "    print('y' * 99, file=sys.stderr)"
    report = graded(hand_in(before=before), NEIGHBOUR)
    assert report["score"] == points[NEIGHBOUR]
    (printed,) = report["printed"]
    assert printed["text"].startswith(f"0 {'x' * 99}\n1 x")
    assert len(printed["text"]) <= 2000
    assert printed["dropped"] > 1_000_000


def test_writes_to_the_pipe(hand_in, graded, points):
    """Printed text that looks like an answer is not accepted as an answer."""
    forged = 'import os\nfor fd in (1, 2):\n    os.write(fd, b"\\x81\\xa6answer\\x80")'
    body = "return theta_Q if step and step % period == 0 else theta_T"  # wrong at 0
    path = hand_in(sync_target=f"{forged}\nprint({{'passed': True}})\n{body}")
    report = graded(path, "sync_target")
    assert 0 < report["score"] < points["sync_target"]


def test_eats_memory(hand_in, graded, points):
    """If a part uses up the memory, its checks fail with a message.

    Other exercises keep their points.
    """
    body = "while True:\n    HOARD.append(np.empty(1 << 26, np.uint8))"
    path = hand_in(td_loss=body, after="HOARD = []")
    report = graded(path, "replay_buffer", "td_loss", NEIGHBOUR, spoils=True)
    require_whole(report, points, "replay_buffer", "td_loss", NEIGHBOUR)
    messages = " ".join(c["message"] for c in report["exercises"][1]["checks"])
    assert "memory" in messages.lower()
    scores = [exercise["score"] for exercise in report["exercises"]]
    assert scores == [points["replay_buffer"], 0, points[NEIGHBOUR]]


# ---------------------------------------------------------------- hostile answers

HOSTILE = {
    "an error that is no error": """
from grader.inside import protocol
encode = protocol.encode
protocol.encode = lambda m: encode({**m, "error": "text"} if "nonce" in m else m)
""",
    "an error of strange kinds": """
from grader.inside import protocol
encode = protocol.encode
strange = {"kind": ["a"], "message": 5, "line": True, "type": {}, "function": b"f"}
protocol.encode = lambda m: encode({"nonce": m["nonce"], "error": strange})
""",
    "no answer at all": """
from grader.inside import protocol
encode = protocol.encode
protocol.encode = lambda m: encode({"nonce": m["nonce"]})
""",
    "an old answer": """
from grader.inside import protocol
encode = protocol.encode
protocol.encode = lambda m: encode({**m, "nonce": b"0" * 16})
""",
    "bytes that are no frame": """
from grader.inside import protocol
protocol.encode = lambda m: b"ok" * 5000
""",
    "arrays for lists": """
import sys
def junk(*_):
    array = np.zeros((4, 3))
    names = "lengths", "samples", "changed", "loss", "grads", "theta_T", "Q", "theta"
    return {name: array for name in names}
def answer(self, **request):
    return junk()
sys.modules["__main__"].Worker.do_call = answer
""",
    "lists for arrays": """
import sys
def answer(self, **request):
    names = "lengths", "samples", "changed", "loss", "grads", "theta_T", "Q", "theta"
    return {name: [{}, None, [np.zeros(2)], "text"] for name in names}
sys.modules["__main__"].Worker.do_call = answer
""",
    "samples of anything": """
import sys
def answer(self, **request):
    batch = {"state": np.zeros(()), "action": None, "reward": "r", "terminated": []}
    return {"lengths": ["1"], "samples": [batch] * 9, "theta_T": [None] * 4}
sys.modules["__main__"].Worker.do_call = answer
""",
    "programs that are none": """
import sys
def answer(self, **request):
    return {"program": np.arange(100, dtype=np.uint8)}
sys.modules["__main__"].Worker.do_export = answer
""",
    "programs with other outputs": """
from grader.inside import parts
for name in parts.PROGRAMS:
    parts.PROGRAMS[name] = lambda *_: lambda args: {"loss": jnp.zeros(7)}
""",
    "gradients of other shapes": """
from grader.inside import parts
def with_gradient(loss_of, theta):
    return {"loss": loss_of(theta).sum(), "grads": [jnp.zeros(7)] * 3}
parts.with_gradient = with_gradient
""",
    "parameters of other shapes": """
from grader.inside import parts
own = parts.fresh_network
def q_network(dqn, spec):
    return lambda args: {"theta": [jnp.zeros(7), jnp.zeros((0, 3), int)]}
parts.PROGRAMS["q_network"] = q_network
""",
}


ASKED = {
    "arrays for lists": ["update_Q_TD0", "replay_buffer", "sync_target"],
    "lists for arrays": ["update_Q_TD0", "replay_buffer", "sync_target"],
    "samples of anything": ["replay_buffer", "sync_target"],
    "programs that are none": ["update_Q_TD0", "td_loss"],
    "programs with other outputs": SPOILT,
    "gradients of other shapes": ["monte_carlo", "td_loss", "td_update"],
    "parameters of other shapes": ["q_network"],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_worker(hand_in, graded, points, name):
    """Wrong or hostile frames from a worker never become a grader error."""
    exercises = ASKED.get(name, ["sync_target"])
    report = graded(hand_in(after=HOSTILE[name]), *exercises, spoils=True)
    require_whole(report, points, *exercises)
    assert report["score"] < sum(points[exercise] for exercise in exercises)


# ---------------------------------------------------------------- a starved machine
# All helpers start before code of the hand-in runs. If a helper cannot start again
# later, that is the hand-in's fault.


@pytest.fixture
def starve(monkeypatch):
    """Return a function (how, *, runner) that makes every later start of a helper fail.

    If `how` is "no process", a start raises an error. If `how` is "dies at once", the
    new process ends immediately. With `runner=True` the running runner is stopped, too.
    """
    runners, prepare = [], launch.prepare

    class Kept(runner_client.RunnerClient):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            runners.append(self)

    monkeypatch.setattr(pipeline, "RunnerClient", Kept)

    def set_up(how: str, *, runner: bool) -> None:
        def refuse(*args, **kwargs):
            if how == "no process":
                raise BlockingIOError(11, "Resource temporarily unavailable")
            prepared = prepare(*args, **kwargs)
            return replace(prepared, command=[sys.executable, "-c", "exit(1)"])

        monkeypatch.setattr(launch, "prepare", refuse)
        if runner:
            runners[0].stop()

    return set_up


@pytest.mark.parametrize("how", ["no process", "dies at once"])
@pytest.mark.parametrize("who", ["the worker", "the runner"])
def test_nothing_starts_any_more(hand_in, grade, points, starve, how, who):
    """If the helper `who` cannot start again, checks that need it are "killed".

    The report is complete, and no check is a grader error. `starve` says what `how`
    means.
    """
    exercises = ["update_Q_TD0", "sync_target"]

    def on_check(exercise: str, check: str) -> None:
        starve(how, runner=who == "the runner")

    report = grade(hand_in(), *exercises, twice=True, on_check=on_check)
    require_whole(report, points, *exercises)
    assert "cannot be started again" in told(report, "update_Q_TD0", "killed")
    assert report["exercises"][0]["score"] == 0


def test_grader_error_in_each_exercise(hand_in, grade, monkeypatch, capfd):
    """If a check meets a GraderError, `grade` raises it, and pytest prints no error."""

    def answer(self, case):
        raise GraderError("no reference")

    monkeypatch.setattr(reference.Reference, "answer", answer)
    with pytest.raises(GraderError, match="no reference"):
        grade(hand_in(), "update_Q_TD0", "sync_target")
    assert "INTERNALERROR" not in "".join(capfd.readouterr())
