"""The text that a hand-in prints is shown in the report and on the terminal."""

import subprocess
import sys

import hypothesis.strategies as st
import pytest

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
    report = graded(hand_in(before=before), "sync_target", import_seconds=2.0)
    assert report["printed"] == [
        {"exercise": "import", "text": "so far\n", "dropped": 0}
    ]
    assert report["score"] == 0
