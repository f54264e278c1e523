"""The text that a hand-in prints is shown in the report and on the terminal."""

import subprocess
import sys

import hypothesis.strategies as st
import pytest

from tests.support.patient import COMMAND

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there printed text goes to standard error"
)


words = st.one_of(
    st.binary(max_size=50),
    st.sampled_from(
        [b"\x1b[2J", b"::error::", b"\r\n", b"\t", "ü🙂".encode(), b"\xff", b"##[e]"]
    ),
)


# ---------------------------------------------------------------- graded

PRINTS = """
print("read", step, end=" ")
print("::error::\\x1b[31m", object())
"""


@pytest.mark.parametrize("tier", ["bwrap", "process"])
def test_printed_text_is_shown(hand_in, command, tier, request):
    """The report holds printed text by exercise; the terminal marks each line with │.

    Control characters and memory addresses are replaced.
    """
    if tier != "process":
        request.getfixturevalue(tier)
    body = f"{PRINTS}\nreturn theta_Q if step % period == 0 else theta_T"
    before = "import sys\nprint('hello')\nprint('warning', file=sys.stderr)"
    path = hand_in(sync_target=body, before=before, after="print('x' * 9)")
    run = command("grade", path, "--only", "sync_target", "--sandbox", tier)
    assert run.report["score"] == 5
    imported, told = run.report["printed"]
    expected = {"exercise": "import", "text": f"hello\n{'x' * 9}\n", "dropped": 0}
    assert imported == expected
    assert told["exercise"] == "sync_target"
    line = "read 0 ::error::�[31m <object object at 0x…>"
    assert told["text"].startswith(f"{line}\nread 3")
    assert f"      │ {line}\n" in run.out
    assert "      │ hello\n" in run.out


DEBUG_PRINTS = """
right = td_loss


def td_loss(theta_Q, theta_T, model, batch, gamma):
    jax.debug.print("r {r}, gamma {g:.2f}", r=batch.reward, g=gamma, ordered=True)
    jax.debug.callback(print, batch.reward)
    jax.debug.breakpoint()
    print(batch.reward)
    return right(theta_Q, theta_T, model, batch, gamma)
"""


def test_debug_prints_do_no_harm(hand_in, command):
    """A right `td_loss` with debug prints gets all points; a note explains tracers.

    Under INPROCESS=1, the prints show numbers.
    """
    path = hand_in(after=DEBUG_PRINTS) / "dqn.py"
    run = command("grade", path, "--only", "td_loss", module=COMMAND)
    assert run.report["score"] == run.report["max_score"]
    text = run.report["printed"][0]["text"]
    assert "r Tracer(float32[5]), gamma 0.70\n" in text
    assert "jax.debug.breakpoint was left out\n" in text
    assert "→ Tracer(float32[1]) is no mistake: while JAX traces" in run.out
    assert "`make grade ONLY=td_loss INPROCESS=1`" in " ".join(run.out.split())

    path.write_text(path.read_text().replace("    jax.debug.breakpoint()\n", ""))
    run = command("grade", path, "--only", "td_loss", "--in-process=1")
    assert "r [2.5], gamma 0.70\n[2.5]\n[2.5]\n" in run.out


def test_all_that_is_kept_is_shown(hand_in, command):
    """The first 2000 bytes of the output are shown, in lines of at most 80 columns."""
    body = 'print(*range(200), "ü" * 600)\nreturn theta_T'
    run = command("grade", hand_in(sync_target=body), "--only", "sync_target")
    (printed,) = run.report["printed"]
    kept = printed["text"].split()
    assert 1900 < len(printed["text"].encode()) <= 2000
    assert printed["dropped"] > 0
    shown = [line[8:] for line in run.out.splitlines() if line.startswith("      │ ")]
    told = f"… {printed['dropped']} bytes more were not kept"
    assert "".join("".join(shown).split()) == "".join([*kept, *told.split()])
    assert max(map(len, run.out.splitlines())) <= 80


def test_sets_are_printed_alike(hand_in, grade):
    """A set of strings is printed in the same order in every run."""
    words = [f"word {i}" for i in range(20)]
    report = grade(hand_in(before=f"print(set({words}))"), "sync_target")
    done = subprocess.run(
        [sys.executable, "-c", f"print(set({words}))"],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        check=True,
    )
    assert report["printed"][0]["text"] == done.stdout.decode()


@pytest.mark.parametrize("end", ["while True: pass", "os.abort()"])
def test_last_words(hand_in, graded, end):
    """Text that was printed before a hang or a death is shown."""
    before = f"import os\nprint('so far')\n{end}"
    report = graded(hand_in(before=before), "sync_target", import_seconds=5.0)
    assert report["printed"] == [
        {"exercise": "import", "text": "so far\n", "dropped": 0}
    ]
    assert report["score"] == 0
