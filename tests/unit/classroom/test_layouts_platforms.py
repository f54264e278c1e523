"""Each platform's download is recognised, with owners, groups, attempts and late marks.

The names are those that the platform's own exporter gives, see the docstrings of the
modules in `layouts`.
"""

import re
import zipfile
from pathlib import Path

import pytest

from grader.classroom import layouts
from grader.classroom.after.attendance import attendance
from grader.classroom.after.roster import read_roster
from grader.classroom.gradebooks.groups import Places
from grader.classroom.gradebooks.sheet import sheet_of
from grader.classroom.layouts import gradescope
from grader.classroom.layouts.brightspace import sortable
from grader.classroom.layouts.files import GRADESCOPE
from grader.classroom.results import about_people
from grader.contract.outcomes import UsageError
from grader.intake.submission import STUBS
from grader.intake.take import take
from tests.support.downloads import made, owners
from tests.support.notebooks import notebook


def recognised(folder: Path, layout: str) -> layouts.Found:
    """Return what is found in a folder, after a check of the recognised layout.

    Args:
        folder: the folder.
        layout: how the name of the layout begins.
    """
    found = layouts.find(folder)
    assert found.layout.startswith(layout)
    assert not found.strange
    return found


def files_of(found: layouts.Found, folder: Path) -> list[str]:
    """Return the paths of the hand-ins, relative to the folder of all."""
    return [str(hand_in.path.relative_to(folder)) for hand_in in found.hand_ins]


def test_canvas(tmp_path):
    """In Canvas' layout, a file's name holds the owner's name and number, and LATE.

    The best file of a person counts, and of equal files the last try. A name may have a
    _ or an umlaut, and a file's name may have numbers.
    """
    made(
        tmp_path,
        "doejane_12345_67890_dqn.py",
        "leebo_LATE_77_99_dqn-1.py",
        "leebo_LATE_77_98_dqn.py",
        "o_neilzoë_8_97_7_6_dqn.py",
        "oxmax_5_1_dqn.py",
        "oxmax_5_3_other-7.py",
        "oxmax_5_2_dqn-10.py",
        "oxmax_5_4_dqn-9.py",
        "oxmax_5_5_dqn.zip",
        "wuli_6_11_homework.py",
        "wuli_6_12_train.py",
        "zed_9_13_dqn.docx",
        "ypo_10_text.html",
    )
    found = recognised(tmp_path, "Canvas")
    assert [(h.path.name, h.late) for h in found.hand_ins] == [
        ("doejane_12345_67890_dqn.py", False),
        ("leebo_LATE_77_99_dqn-1.py", True),
        ("o_neilzoë_8_97_7_6_dqn.py", False),
        ("oxmax_5_2_dqn-10.py", False),
        ("wuli_6_11_homework.py", False),
        ("zed_9_13_dqn.docx", False),
    ]
    assert owners(found) == [
        ("doejane", {"canvas": "12345"}),
        ("leebo", {"canvas": "77"}),
        ("o_neilzoë", {"canvas": "8"}),
        ("oxmax", {"canvas": "5"}),
        ("wuli", {"canvas": "6"}),
        ("zed", {"canvas": "9"}),
    ]
    ignored = dict(found.ignored)
    assert len(ignored) == 7
    assert ignored["leebo_LATE_77_98_dqn.py"] == "the same student's dqn-1.py counts"
    assert ignored["ypo_10_text.html"] == "a text written into Canvas"
    ((hand_in, why),) = found.without_file
    assert hand_in.owners == (layouts.Owner("ypo", {"canvas": "10"}),)
    assert why == ignored["ypo_10_text.html"]


WRITTEN = "def td_loss(): pass\n"
UNTOUCHED = "raise NotImplementedError('Exercise 1')\n" * STUBS
SIDE_BY_SIDE = {
    "Canvas": "doejane_11_{n}_{file}",
    "Moodle": "Jane Doe_12_assignsubmission_file_{file}",
    "Blackboard": "HW_jdoe_attempt_2026-11-09-10-00-00_{file}",
    "Brightspace": "123-456 - Jane Doe - Nov 3, 2026 1159 PM - {file}",
    "ILIAS": "Doe_Jane_jdoe_4711/Late Submission - {file}",
}
IN_A_FOLDER = "Jane Doe_12_assignsubmission_file/{file}"


@pytest.mark.parametrize("layout", SIDE_BY_SIDE)
@pytest.mark.parametrize(
    ("files", "right", "told"),
    [
        (
            {"dqn.py": UNTOUCHED, "dqn.ipynb": notebook(WRITTEN)},
            "dqn.ipynb",
            ["dqn.ipynb was taken: in dqn.py nothing has been written"],
        ),
        (
            {"dqn.py": UNTOUCHED, "work.ipynb": notebook(WRITTEN), "mine.py": WRITTEN},
            "work.ipynb",
            [
                "work.ipynb was taken: in dqn.py nothing has been written, "
                "mine.py was left aside"
            ],
        ),
        ({"mine.py": WRITTEN, "tools.py": "x = 1\n"}, "mine.py", []),
        (
            {"dqn.py": WRITTEN, "dqn.ipynb": notebook(WRITTEN)},
            "dqn.py",
            ["dqn.py was taken: dqn.ipynb was left aside"],
        ),
        ({"dqn.py": "\0", "dqn.ipynb": notebook(UNTOUCHED)}, "dqn.py", []),
        (
            {"dqn.py": UNTOUCHED, "dqn.zip": WRITTEN},
            "dqn.zip",
            ["dqn.zip was taken: in dqn.py nothing has been written"],
        ),
        ({"dqn.py": UNTOUCHED, "train.py": WRITTEN}, "dqn.py", []),
        (
            {"dqn.py": UNTOUCHED, "notebook.ipynb": notebook(WRITTEN)},
            "notebook.ipynb",
            ["notebook.ipynb was taken: in dqn.py nothing has been written"],
        ),
        (
            {"mine.py": WRITTEN, "train.ipynb": notebook(WRITTEN)},
            "train.ipynb",
            ["train.ipynb was taken: mine.py was left aside"],
        ),
        (
            {"agent.ipynb": notebook("x = 1"), "work.ipynb": notebook(UNTOUCHED)},
            "work.ipynb",
            [],
        ),
        (
            {"dqn.py": UNTOUCHED, "agent.zip": WRITTEN},
            "agent.zip",
            ["agent.zip was taken: in dqn.py nothing has been written"],
        ),
    ],
)
def test_files_side_by_side(tmp_path, layout, files, right, told):
    """Of several files the one counts that is taken if the same files are in a folder.

    A file in which nothing has been written is taken only if there are no others.
    """
    flat, deep = tmp_path / "flat", tmp_path / "deep"
    paths = {}
    for n, (file, text) in enumerate(files.items()):
        paths[file] = flat / SIDE_BY_SIDE[layout].format(n=n, file=file)
        for path in (paths[file], deep / IN_A_FOLDER.format(file=file)):
            path.parent.mkdir(parents=True, exist_ok=True)
            if file.endswith(".zip"):
                with zipfile.ZipFile(path, "w") as archive:
                    archive.writestr("dqn.py", text)
            else:
                path.write_text(text)
    (hand_in,) = recognised(flat, layout).hand_ins
    assert hand_in.path == paths[right]
    (in_folder,) = recognised(deep, "Moodle").hand_ins
    assert take(str(hand_in.path)).source == take(str(in_folder.path)).source
    if layout != "ILIAS":
        assert [*hand_in.notes] == told


def test_a_late_stub_beside_work_in_time(tmp_path):
    """If nothing is written in ILIAS' late file, the file before it counts."""
    made(folder := tmp_path / "Doe_Jane_jdoe_4711", "dqn.py")
    (folder / "dqn.py").write_text(WRITTEN)
    (folder / "Late Submission - dqn.py").write_text(UNTOUCHED)
    (hand_in,) = recognised(tmp_path, "ILIAS").hand_ins
    assert (hand_in.path, hand_in.late) == (folder / "dqn.py", False)


def test_canvas_without_names(tmp_path):
    """An anonymous file of Canvas has a code, which is no number of a person."""
    made(tmp_path, "anon_Ab1xY_12_dqn.py", "LATE_anon_Zz9qQ_13_dqn.py")
    found = recognised(tmp_path, "Canvas")
    assert owners(found) == [("anon_Zz9qQ", {}), ("anon_Ab1xY", {})]
    assert [hand_in.late for hand_in in found.hand_ins] == [True, False]


def test_canvas_groups(tmp_path):
    """A group's file has the group's name before the number of one member."""
    made(tmp_path, "projectgroup1_5_12_dqn.py", "projectgroup12_LATE_6_13_dqn.py")
    found = recognised(tmp_path, "Canvas")
    groups = [hand_in.group for hand_in in found.hand_ins]
    assert groups == ["projectgroup12", "projectgroup1"]


@pytest.mark.parametrize(
    "files",
    [
        ["laba_1_2001_90001_dqn.py", "labb_1_2005_90002_dqn.py"],
        ["hw_21_2001_90001_dqn.py", "hw_22_2005_90002_dqn.py"],
        ["hw_21_2001_90001_dqn.py", "hw_22_2005_90002_dqn.py", "hw_22_2005_9_a.pdf"],
        ["1_2001_90001_dqn.py", "2_2005_90002_3_4_dqn.py"],
        ["a_1_2001_90001_5_6_dqn.py", "a_2_2005_90002_dqn.py"],
        ["a_1_2001_90001_dqn.py", "b_2_2005_90002_dqn.py", "b_2_2005_90003_a.pdf"],
    ],
)
def test_canvas_groups_with_numbers_in_their_names(tmp_path, files):
    """A group keeps its name and its hand-in if the name ends in _ and digits.

    If people of one name are possible as well, this is told, unless the numbers are
    known.
    """
    found = layouts.find(made(tmp_path, *files), {"2001", "2005", "2006"})
    assert not found.strange
    assert layouts.find(tmp_path).hand_ins == found.hand_ins
    assert found.layout.startswith("Canvas")
    groups = [re.split("_(?:LATE_)?200", file)[0] for file in files[:2]]
    assert [hand_in.group for hand_in in found.hand_ins] == groups
    numbers = [hand_in.owners[0].ids["canvas"] for hand_in in found.hand_ins]
    assert numbers == ["2001", "2005"]


SIDS = [
    *("doejane_11_7001_20231234_dqn.py", "doejane_12_7002_20235678_dqn.py"),
    "leebo_13_7003_20239999_dqn.py",
]


@pytest.mark.parametrize("beside", [[], ["poeann_14_7004_dqn.py", "anon_Zz_7_dqn.py"]])
@pytest.mark.parametrize("known", ["11 12 13 14", "11 12 99 13 7002", "11 12 13"])
def test_canvas_with_student_ids_in_the_files_names(tmp_path, beside, known):
    """People of one name keep their numbers if these are known."""
    found = layouts.find(made(tmp_path, *SIDS, *beside), known.split())
    whose = {hand_in.entry: hand_in.owners[0] for hand_in in found.hand_ins}
    assert [whose[file] for file in SIDS] == [
        layouts.Owner("doejane", {"canvas": "11"}),
        layouts.Owner("doejane", {"canvas": "12"}),
        layouts.Owner("leebo", {"canvas": "13"}),
    ]
    assert not found.strange


@pytest.mark.parametrize("known", ["", "11", "11 7001", "1 2 3"])
def test_canvas_with_numbers_that_cannot_be_told(tmp_path, known):
    """Files with numbers in their names are doubtful if people may share a name."""
    found = layouts.find(made(tmp_path, *SIDS), known.split())
    assert len(found.hand_ins) == 3
    assert [*found.strange] == SIDS


@pytest.mark.parametrize(
    "files",
    [
        ["2026_11_20_ann.py", "2026_11_20_bo.py", "2026_11_21_cy.py"],
        ["2026_11_20_ann.py", "2026_11_21_bo.py"],
        ["hw_2026_11_20_ann.py", "hw_2026_11_20_bo.py"],
        ["20231234_1_2_dqn.py"],
        ["20231234_1_2_dqn.py", "20235678_1_2_dqn.py"],
        ["20231234_1_2_dqn.py", "20235678_1_3_dqn.py"],
    ],
)
def test_numbers_that_are_not_of_canvas(tmp_path, files):
    """Dates and student IDs at the front do not make a download from Canvas.

    Every file is a hand-in; none is left out for another one.
    """
    found = recognised(made(tmp_path, *files), "Folders and files")
    assert files_of(found, tmp_path) == files


def test_canvas_groups_of_which_not_all_have_numbers(tmp_path):
    """If names may be those of people or of groups with numbers, this is told."""
    files = ["gold_2009_3_dqn.py", "team_1_2001_1_dqn.py", "team_2_2005_2_dqn.py"]
    found = layouts.find(made(tmp_path, *files))
    assert found.layout.startswith("Canvas")
    assert len(found.hand_ins) == 3
    assert found.strange == dict.fromkeys(
        files[1:],
        "nobody knows which number is the owner's: "
        "the name before it may end in a number",
    )


def test_canvas_names_that_cannot_be_told(tmp_path):
    """No two hand-ins become one, and people of one name keep their numbers."""
    one = made(tmp_path / "a", "lab_1_9_dqn.py", "x_1_8_dqn.py", "x_1_7_dqn.py")
    assert len(recognised(one, "Canvas").hand_ins) == 2
    doe = [("doejane", {"canvas": "11"}), ("doejane", {"canvas": "12"})]
    two = made(tmp_path / "b", "doejane_11_7_dqn.py", "doejane_12_8_2_dqn.py")
    assert owners(recognised(two, "Canvas")) == doe
    two = made(tmp_path / "c", "doejane_11_7_2_dqn.py", "doejane_12_8_2_dqn.py")
    assert owners(recognised(two, "Canvas")) == doe


def test_moodle(tmp_path):
    """In Moodle's layout, the name of a folder holds the owner's name and number.

    A folder's only file is the hand-in, whatever its name is. Older versions
    have a _ at the end of the name.
    """
    made(
        tmp_path,
        "Jane van Doe_4711_assignsubmission_file/homework.ipynb",
        "Bo Lee_12_assignsubmission_file_/dqn.py",
        "Bo Lee_12_assignsubmission_onlinetext_/onlinetext.html",
    )
    found = recognised(tmp_path, "Moodle")
    assert owners(found) == [
        ("Bo Lee", {"moodle": "12"}),
        ("Jane van Doe", {"moodle": "4711"}),
    ]
    assert [h.path.name for h in found.hand_ins][1] == "homework.ipynb"
    assert [why for _, why in found.ignored] == ["a text written into Moodle"]


def test_moodle_without_folders(tmp_path):
    """Without folders, the file's own name follows; one of several files counts."""
    made(
        tmp_path,
        "Jane Doe_4711_assignsubmission_file_my_dqn.py",
        "Bo Lee_12_assignsubmission_file_agent.py",
        "Bo Lee_12_assignsubmission_file_dqn.py",
        "Bo Lee_12_assignsubmission_file_report.pdf",
        "Bo Lee_12_assignsubmission_onlinetext_onlinetext.html",
        "Bo Lee_13_assignsubmission_file_dqn.py",
    )
    found = recognised(tmp_path, "Moodle")
    assert owners(found) == [
        ("Bo Lee", {"moodle": "12"}),
        ("Bo Lee", {"moodle": "13"}),
        ("Jane Doe", {"moodle": "4711"}),
    ]
    assert found.hand_ins[0].path.name.endswith("_dqn.py")
    assert [why for _, why in found.ignored] == [
        "the same student's dqn.py counts",
        "the same student's dqn.py counts",
        "a text written into Moodle",
    ]


@pytest.mark.parametrize(
    "names",
    [
        {"Group 1_55": "55", "Group 2_56": "56"},
        {"Team A_5": "5", "Team B_6": "6"},
        {"Default group": "", "Gold_7": "7"},
    ],
)
def test_moodle_teams(tmp_path, names):
    """A team's folder gives the group's name, and the number if it has one.

    The number is kept, because names that look like those of teams may be people's.
    """
    made(tmp_path, *(f"{name}_assignsubmission_file/dqn.py" for name in names))
    found = recognised(tmp_path, "Moodle")
    groups = [name.split("_")[0] for name in names]
    assert [hand_in.group for hand_in in found.hand_ins] == groups
    ids = [{"moodle": number} if number else {} for number in names.values()]
    assert owners(found) == [*zip(groups, ids, strict=True)]


def test_moodle_blind(tmp_path):
    """An anonymous participant has a number and no name."""
    made(tmp_path, *(f"Participant_{n}_assignsubmission_file/dqn.py" for n in (7, 12)))
    found = recognised(tmp_path, "Moodle")
    assert [ids for _, ids in owners(found)] == [{"moodle": "12"}, {"moodle": "7"}]
    assert not found.hand_ins[0].group


METADATA = """---
submission_1:
  :submitters:
  - :name: Jane Doe
    :sid: '0042'
    :email: jane@example.org
  :created_at: 2026-01-01 12:00:00.5 Z
  :results: !ruby/hash:Anything
    output: |-

      submission_9:
        :submitters:
submission_2:
  :created_at: 2026-01-01 12:00:00.5 Z
  :history:
  - :id: 7
    :submitters:
    - :name: Nobody
    output: |-
      a

      :submitters: x
  :output: "
  "
  :submitters:
  - :name: A
    :sid:
    :email: a@example.org
  - :name: B
    :email: b@example.org
submission_3:
  :submitters:
  - :name:
    :email:
submission_4:
  :submitters:
  - :name: Gone
"""


def test_gradescope(tmp_path):
    """In Gradescope's layout, a file of metadata names all submitters of a hand-in.

    Nothing but the submitters is parsed. A folder that is missing is listed. A person
    about whom nothing is said is nobody.
    """
    export = tmp_path / "assignment_7_export"
    made(export, "submission_1/dqn.py", "submission_2/src/dqn.py", "submission_3/")
    (export / GRADESCOPE).write_text(METADATA)
    found = layouts.find(tmp_path)
    assert found.headline == (
        "Gradescope, Export Submissions in assignment_7_export/: 3 hand-ins"
    )
    assert owners(found) == [
        ("Jane Doe", {"sid": "0042", "email": "jane@example.org"}),
        ("A", {"email": "a@example.org"}),
        ("B", {"email": "b@example.org"}),
        ("submission_3", {"login": "submission_3"}),
    ]
    assert [*found.strange] == ["submission_3"]
    assert found.hand_ins[1].path == export / "submission_2"
    why = "it is in the metadata, but not in the folder"
    assert found.ignored == [("submission_4", why)]
    roster = Places(read_roster(sheet_of("name,email\nGone,g@x.org\n")), {})
    told = about_people([], attendance(roster, found))
    assert told[1:] == [
        f"handed in, but no file was found: 1 of 1 on the roster: Gone ({why})"
    ]


def test_gradescope_says_a_text_once(tmp_path):
    """A text that stands elsewhere in the metadata (an alias) is read there."""
    made(tmp_path, "submission_1/dqn.py")
    (tmp_path / GRADESCOPE).write_text(
        "submission_1:\n  :by: &1 Jane\n  :submitters:\n  - :name: *1\n"
    )
    assert owners(recognised(tmp_path, "Gradescope")) == [("Jane", {})]


@pytest.mark.parametrize(
    "text", ["- a", "a: [", "!!python/object:os.system x", "a: \ud800"]
)
def test_broken_metadata(tmp_path, text):
    """If Gradescope's file of metadata is broken, the error names this file."""
    made(tmp_path, "submission_1/dqn.py")
    path = tmp_path / GRADESCOPE
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match=GRADESCOPE):
        layouts.find(tmp_path)


def test_most_of_the_metadata_is_left_out():
    """Of the metadata only the names of folders and the submitters reach the parser."""
    kept = gradescope.submitters_in(METADATA)
    assert "Nobody" not in kept
    assert "output" not in kept
    assert kept.count(":submitters:") == 4


def test_blackboard(tmp_path):
    """In Blackboard's layout, the last attempt counts, and a text names the person."""

    def attempt(login: str, day: int, name: str, *files: str) -> None:
        stem = f"HW_2_{login}_attempt_2026-11-{day:02}-10-00-00"
        made(tmp_path, *(f"{stem}_{file}" for file in files))
        (tmp_path / f"{stem}.txt").write_text(
            f"Name: {name} ({login})\nAssignment: HW_2\n"
        )

    attempt("jane_doe", 9, "Jane Doe", "dqn.py", "notes.txt")
    attempt("jane_doe", 10, "Jane Doe", "all_of_it.zip")
    attempt("blee", 3, "Bo Lee", "dqn.py")
    attempt("blee", 2, "Bo Lee", "dqn.py")
    attempt("nix", 2, "Nix Ny")
    found = recognised(tmp_path, "Blackboard")
    assert owners(found) == [
        ("Bo Lee", {"login": "blee"}),
        ("Jane Doe", {"login": "jane_doe"}),
    ]
    assert [h.entry.partition("_attempt_")[2] for h in found.hand_ins] == [
        "2026-11-03-10-00-00_dqn.py",
        "2026-11-10-10-00-00_all_of_it.zip",
    ]
    ignored = dict(found.ignored)
    earlier = "an earlier attempt: the same student's all_of_it.zip counts"
    assert ignored["HW_2_jane_doe_attempt_2026-11-09-10-00-00_dqn.py"] == earlier
    assert len(ignored) == 4
    assert ignored["HW_2_nix_attempt_2026-11-02-10-00-00.txt"] == (
        "an attempt without a file"
    )
    assert [hand_in.who for hand_in, _ in found.without_file] == ["Nix Ny"]


def test_blackboard_without_texts(tmp_path):
    """Without the text files, a login is known only if no other reading is possible."""
    made(tmp_path, "HW_jdoe_attempt_2026-11-09-10-00-00_dqn.py")
    made(tmp_path, "HW_blee_attempt_2026-11-09-10-00-00_dqn.py")
    logins = [ids for _, ids in owners(recognised(tmp_path, "Blackboard"))]
    assert logins == [{"login": "blee"}, {"login": "jdoe"}]
    made(tmp_path, "HW_max_ox_attempt_2026-11-09-10-00-00_dqn.py")
    logins = [ids for _, ids in owners(recognised(tmp_path, "Blackboard"))]
    assert logins == [{}, {}, {}]


def test_brightspace(tmp_path):
    """In Brightspace's layout, a person has a folder for each submission."""
    made(
        tmp_path,
        "123-456 - Jane Doe - Nov 3, 2026 1159 PM/dqn.py",
        "123-456 - Jane Doe - Nov 3, 2026 1258 PM/dqn.py",
        "123-456 - Jane Doe - Oct 30, 2026 900 AM/dqn.py",
        "124-456 - Jane Doe - Nov 2, 2026 100 AM/mine.py",
        "125-456 - Mary-Ann O'Neil - Nov 12, 2026 100 AM/dqn.py",
        "index.html",
    )
    found = recognised(tmp_path, "Brightspace")
    assert [hand_in.entry.split(" - ", 1)[1] for hand_in in found.hand_ins] == [
        "Jane Doe - Nov 3, 2026 1159 PM",
        "Jane Doe - Nov 2, 2026 100 AM",
        "Mary-Ann O'Neil - Nov 12, 2026 100 AM",
    ]
    assert [ids["brightspace"] for _, ids in owners(found)] == ["123", "124", "125"]
    assert len(found.ignored) == 3


def test_brightspace_without_folders(tmp_path):
    """Older versions of Brightspace write the file's own name after the time."""
    made(
        tmp_path,
        "123-456 - Jane Doe - Nov 3, 2026 1159 PM - dqn.py",
        "123-456 - Jane Doe - Nov 3, 2026 1159 PM - my - notes.txt",
    )
    found = recognised(tmp_path, "Brightspace")
    assert owners(found) == [("Jane Doe", {"brightspace": "123"})]
    assert found.hand_ins[0].path.name.endswith("dqn.py")


def test_brightspace_in_another_language(tmp_path):
    """If times cannot be compared, no submission is taken for the last one."""
    made(tmp_path, "123-456 - Jane Doe - 3 maart 2026 1159/dqn.py")
    made(tmp_path, "123-456 - Jane Doe - 4 maart 2026 1159/dqn.py")
    assert len(recognised(tmp_path, "Brightspace").hand_ins) == 2


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("Nov 3, 2026 1159 PM", "2026-11-03 23:59"),
        ("3 November, 2026 1230 AM", "2026-11-03 00:30"),
        ("Jan 31, 2026 9 AM", "2026-01-31 09:00"),
        ("Jan 31, 2026 1405", "2026-01-31 14:05"),
        ("31. Januar 2026 1405", ""),
    ],
)
def test_times_of_brightspace(time, text):
    """A time of Brightspace becomes text that sorts; "" if it has another form."""
    assert sortable(time) == text


def test_ilias(tmp_path):
    """In ILIAS' layout, a folder has name, login and number, and late files a mark.

    A late `dqn` counts before an earlier one. If a name has a _, the
    login is unknown.
    """
    made(
        tmp_path,
        "Doe_Jane_jdoe_4711/dqn.py",
        "Lee_Bo_blee_12/dqn.py",
        "Lee_Bo_blee_12/Late Submission - dqn.py",
        "Lee_Bo_blee_12/Late Submission - train.py",
        "Ox_Max_m_ox_13/Verspaetete Abgabe - homework.py",
        "Roe_Cy_cy_14/dqn.py",
        "Roe_Cy_cy_14/Late Submission - dqn.ipynb",
    )
    found = recognised(tmp_path, "ILIAS")
    assert owners(found) == [
        ("Jane Doe", {"login": "jdoe", "ilias": "4711"}),
        ("Bo Lee", {"login": "blee", "ilias": "12"}),
        ("Ox Max m ox", {"ilias": "13"}),
        ("Cy Roe", {"login": "cy", "ilias": "14"}),
    ]
    assert [(h.path.name, h.late) for h in found.hand_ins] == [
        ("Doe_Jane_jdoe_4711", False),
        ("Late Submission - dqn.py", True),
        ("Verspaetete Abgabe - homework.py", True),
        ("Late Submission - dqn.ipynb", True),
    ]


def test_ilias_without_python_files(tmp_path):
    """A file that ILIAS has stored as "dqnpy.sec" counts as `dqn.py` does."""
    made(
        tmp_path,
        "Doe_Jane_jdoe_4711/dqnpy.sec",
        "Lee_Bo_blee_12/dqnpy.sec",
        "Lee_Bo_blee_12/Late Submission - dqnpy (2).sec",
        "Lee_Bo_blee_12/Late Submission - notes.ipynb",
    )
    late = tmp_path / "Lee_Bo_blee_12/Late Submission - dqnpy (2).sec"
    late.write_text(WRITTEN)
    found = recognised(tmp_path, "ILIAS")
    assert [(h.path.name, h.late) for h in found.hand_ins] == [
        ("dqnpy.sec", False),
        (late.name, True),
    ]
    assert take(str(late)).source == WRITTEN.encode()


@pytest.mark.parametrize(
    ("files", "right", "told"),
    [
        (
            {"dqn.py": WRITTEN, "dqn (2).py": WRITTEN},
            "dqn (2).py",
            "ILIAS numbers the uploads of one name, dqn.py was left aside",
        ),
        (
            {
                **{"dqn.py": WRITTEN, "dqn (2).py": UNTOUCHED},
                **{f"dqn ({n}).py": WRITTEN for n in range(3, 11)},
                "dqn (11).py": UNTOUCHED,
            },
            "dqn (10).py",
            "ILIAS numbers the uploads of one name, in dqn (11).py nothing has been "
            "written, dqn.py, dqn (3).py, dqn (4).py and 5 more was left aside",
        ),
        (
            {"dqnpy.sec": WRITTEN, "Late Submission - dqnpy (2).sec": WRITTEN},
            "Late Submission - dqnpy (2).sec",
            "ILIAS numbers the uploads of one name, dqnpy.sec was left aside",
        ),
        ({"dqn.py": UNTOUCHED, "dqn (2).py": UNTOUCHED}, "dqn (2).py", ""),
        ({"dqn.py": WRITTEN, "dqn (1).py": WRITTEN}, "", ""),
        ({"dqn.py": WRITTEN, "dqn (3).py": WRITTEN}, "", ""),
        ({"a.py": WRITTEN, "a (2).py": WRITTEN, "b.py": WRITTEN}, "", ""),
        (
            {"a.py": WRITTEN, "b.py": "x = 1\n", "b (2).py": "x = 2\n"},
            "a.py",
            "",
        ),
    ],
)
def test_uploads_of_one_name_in_ilias(tmp_path, files, right, told):
    """Of uploads with one name the last one counts in which something is written.

    Numbers that ILIAS does not give are the student's. If it is not certain which file
    counts, the intake decides, or says that it cannot.
    """
    folder = made(tmp_path / "Doe_Jane_jdoe_4711")
    folder.mkdir()
    for file, text in files.items():
        (folder / file).write_text(text)
    (hand_in,) = recognised(tmp_path, "ILIAS").hand_ins
    assert hand_in.path == folder / right
    assert [*hand_in.notes] == [f"{right} was taken: {told}"] * bool(told)
    assert hand_in.late == right.startswith("Late")


@pytest.mark.parametrize(
    ("first", "last", "content"),
    [
        ("hw.zip", "hw (2).zip", b"PK\x03\x04"),
        ("main.py", "main (2).py", WRITTEN.encode() + b"\0"),
        ("main.py", "main (2).py", WRITTEN.encode("utf-16")),
        ("hw.zip", "hw (2).zip", None),
    ],
    ids=["cut off", "NUL", "UTF-16", "two hand-ins"],
)
def test_a_last_upload_in_ilias_that_cannot_be_read(tmp_path, first, last, content):
    """A last upload that is not blank counts, so that the student learns why."""
    folder = made(tmp_path / "Doe_Jane_jdoe_4711")
    folder.mkdir()
    for file, members in ((first, ["dqn.py"]), (last, ["a/dqn.py", "b/dqn.py"])):
        if file.endswith(".zip"):
            with zipfile.ZipFile(folder / file, "w") as archive:
                for member in members:
                    archive.writestr(member, WRITTEN)
        else:
            (folder / file).write_text(WRITTEN)
    if content is not None:
        (folder / last).write_bytes(content)
    (hand_in,) = recognised(tmp_path, "ILIAS").hand_ins
    assert (hand_in.path, hand_in.notes) == (folder / last, ())
    assert take(str(hand_in.path)).problem


def test_ilias_teams(tmp_path):
    """A team's folder holds the folders of the members who uploaded files."""
    made(
        tmp_path,
        "Exercise 2/Team 7/Doe_Jane_jdoe_4711/dqn.py",
        "Exercise 2/Team 7/Lee_Bo_blee_12/notes.txt",
        "Exercise 2/Team 8/Max Ox/Late Submission - dqn.py",
    )
    found = layouts.find(tmp_path)
    assert [(h.group, h.late) for h in found.hand_ins] == [
        ("Team 7", False),
        ("Team 8", True),
    ]
    assert [name for name, _ in owners(found)] == ["Jane Doe", "Bo Lee", "Max Ox"]


def test_ilias_teams_in_french(tmp_path):
    """The word for a team is in the site's language; no other word is one for it."""
    made(tmp_path, *(f"Equipe {n}/Doe_Jane_jd{n}_4{n}/dqn.py" for n in (7, 8)))
    found = recognised(tmp_path, "ILIAS")
    assert [hand_in.group for hand_in in found.hand_ins] == ["Equipe 7", "Equipe 8"]
    one = made(tmp_path / "a", "Exercise 2/Doe_Jane_jdoe_4711/dqn.py")
    made(one, "Exercise 2/Lee_Bo_blee_12/dqn.py")
    assert len(recognised(one, "ILIAS").hand_ins) == 2


@pytest.mark.parametrize(
    ("folder", "name", "login"),
    [
        ("Do__an_Ali_adogan_12", "Do an Ali adogan", "adogan"),  # Doğan
        ("Kova___Ana_ak_12", "Kova Ana ak", "ak"),  # Kovač
        ("Lee_Joz___jl_12", "Lee Joz jl", "jl"),  # Jozł
        ("Nguy___n_An_an_12", "Nguy n An an", None),  # Nguyễn, or n An as a first name
        ("___________wxm_12", "wxm", "wxm"),  # 王小明
        ("______w_x_12", "w x", None),
        ("Ba___Jan_j_x_12", "Ba Jan j x", None),  # Bać, or a login x
        ("Doe_Jane_a__b_12", "Jane Doe", "a__b"),
        ("Doe_Jane__jd_12", "Doe Jane jd", None),
        ("Doe__Jane_12", "Doe Jane", None),
    ],
)
def test_letters_that_ilias_does_not_write(tmp_path, folder, name, login):
    """A login is known if the name can be read in one way only.

    ILIAS writes a _ for each byte of a letter. The name keeps the login then.
    """
    made(tmp_path, f"{folder}/dqn.py")
    ids = {"login": login} if login else {}
    assert owners(recognised(tmp_path, "ILIAS")) == [(name, {**ids, "ilias": "12"})]


@pytest.mark.parametrize(
    ("files", "path", "late"),
    [
        (["A_B_ab_1/dqn.py", "C_D_cd_2/Late Submission - dqn.py"], 1, True),
        (["A_B_ab_1/dqn.py", "C_D_cd_2/Late Submission - notes.txt"], 0, False),
        (["A_B_ab_1/dqn.py", "C_D_cd_2/mine.py"], None, False),
        (["A_B_ab_1/dqn.py", "A_B_ab_1/dqn (2).py", "C_D_cd_2/a.txt"], 1, False),
        (["A_B_ab_1/dqn.py", "C_D_cd_2/dqn (2).py", "C_D_cd_2/dqn.py"], None, False),
        ([f"{m}/Late Submission - dqn.py" for m in ("A_B_a_1", "C_D_c_2")], None, True),
    ],
)
def test_a_late_file_of_an_ilias_team(tmp_path, files, path, late):
    """A late file counts for the team, whoever of the members has uploaded it.

    If it is not certain which one, the intake decides, or says that it cannot.
    """
    team = made(tmp_path / "Team 7", *files)
    made(tmp_path, "Team 8/E_F_ef_3/dqn.py")
    hand_in = recognised(tmp_path, "ILIAS").hand_ins[0]
    assert hand_in.path == (team if path is None else team / files[path])
    assert hand_in.late == late


def test_nbgrader(tmp_path):
    """In nbgrader's layout, each student has a folder for each assignment.

    The assignment with a `dqn` in it is taken.
    """
    made(
        tmp_path,
        *("ann/hw/dqn.ipynb", "ann/hw/timestamp.txt", "ann/intro/a.ipynb"),
        *("ann/intro/timestamp.txt", "bob/hw/other.ipynb", "bob/hw/timestamp.txt"),
        *("cy/intro/a.ipynb", "cy/intro/timestamp.txt"),
    )
    found = recognised(tmp_path, "nbgrader")
    assert files_of(found, tmp_path) == ["ann/hw", "bob/hw"]
    assert owners(found) == [("ann", {"login": "ann"}), ("bob", {"login": "bob"})]
    assert found.ignored == [("cy", "there is no hw/ in it")]
    assert found.without_file == []  # cy did another homework
    made(tmp_path, "cy/intro/dqn.ipynb")
    with pytest.raises(UsageError, match=r"several assignments \(hw, intro\)"):
        layouts.find(tmp_path)


def test_github_classroom(tmp_path):
    """A clone's name is the assignment's and the login, which is one of GitHub.

    The name of the folder says where the login begins.
    """
    folder = tmp_path / "dqn-hw-submissions"
    made(folder, *(f"dqn-hw-jane-{n}/.git/HEAD" for n in ("doe", "roe")))
    made(folder, *(f"dqn-hw-jane-{n}/starter/dqn.py" for n in ("doe", "roe")))
    found = recognised(folder, "Git repositories")
    expected = [
        (f"jane-{n} at GitHub", {"github": f"jane-{n}"}) for n in ("doe", "roe")
    ]
    assert owners(found) == expected
    folder = folder.rename(tmp_path / "renamed")
    found = recognised(folder, "Git repositories")
    assert [ids for _, ids in owners(found)] == [{}, {}]  # jane may be the assignment's
    made(folder, "dqn-hw-bo/.git/HEAD")
    assert {"github": "jane-doe"} in [ids for _, ids in owners(layouts.find(folder))]


def test_any_repositories(tmp_path):
    """If the repositories' names have nothing in common, they are plain folders."""
    made(tmp_path, *(f"{n}/{f}" for n in ("ann", "bob") for f in (".git/x", "dqn.py")))
    found = recognised(tmp_path, "Folders")
    assert owners(found) == [("ann", {"login": "ann"}), ("bob", {"login": "bob"})]


def test_a_repository_with_supplied_files(tmp_path):
    """The hand-in is starter/dqn.py even if the repository has a solution in it.

    A `dqn.py` at the top is the student's own, and is preferred as in any hand-in.
    """
    made(tmp_path, *(f"hw-{n}/.git/HEAD" for n in ("ann", "bob", "cy")))
    for name, where in [
        *(("ann", "starter"), ("ann", "solution"), ("ann", "grader/reference")),
        *(("bob", "starter"), ("cy", "starter"), ("cy", "solution"), ("cy", "")),
    ]:
        folder = tmp_path / f"hw-{name}" / where
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "dqn.py").write_text(f"who = {name + where!r}\n")
    (tmp_path / "hw-bob" / "grader").mkdir()
    (tmp_path / "hw-bob" / "grader" / "cli.py").write_text("x = 1\n")
    found = recognised(tmp_path, "Git repositories")
    taken = [take(str(hand_in.path)) for hand_in in found.hand_ins]
    assert [t.source.decode() for t in taken] == [
        "who = 'annstarter'\n",
        "who = 'bobstarter'\n",
        "who = 'cy'\n",
    ]


SCORES = (
    "username,first_name,last_name,email,section,score\n"
    'JaneD,Jane,"Doe, ""JD""\nX",jane@example.org,A,5\n\nmax,,,,,\n'
)


@pytest.mark.parametrize(
    "table",
    [
        SCORES.encode(),
        SCORES.replace(",", ";").replace("Doe;", "Doe,").encode("utf-8-sig"),
        SCORES.replace("\n\n", "\n").replace("\n", "\r\n").encode("utf-16"),
    ],
    ids=["as it is written", "after Excel", "Unicode text"],
)
def test_classroom_50(tmp_path, table):
    """Classroom 50's table of scores gives the names and addresses of the logins.

    It does so, too, when a spreadsheet has saved it in another form.
    """
    folder = tmp_path / "fall-dqn_submissions_2026_11_03_T_10_00_00"
    made(folder, "fall-dqn-janed/.git/HEAD", "fall-dqn-bo/.git/HEAD")
    (folder / "scores.csv").write_bytes(table)
    (bo, (name, ids)) = owners(recognised(folder, "Git repositories"))
    assert bo == ("bo at GitHub", {"github": "bo"})
    assert name.replace("\r", "") == 'Jane Doe, "JD"\nX'
    assert ids == {"github": "JaneD", "email": "jane@example.org"}


@pytest.mark.parametrize("table", [b"", b"\xff", b'username\n"bo', b"login\nbo\n"])
def test_classroom_50_with_a_damaged_table(tmp_path, table):
    """If the table of scores cannot be read, the logins at GitHub are the owners."""
    folder = tmp_path / "fall-dqn_submissions_2026_11_03_T_10_00_00"
    made(folder, "fall-dqn-bo/.git/HEAD")
    (folder / "scores.csv").write_bytes(table)
    found = recognised(folder, "Git repositories")
    assert owners(found) == [("bo at GitHub", {"github": "bo"})]


PEOPLE_50 = ("janed", "max", "cy", "ann")
HEAD_50 = (
    "username,first_name,last_name,email,section,score,max_score,datetime,"
    "submission_tag,submitted_by,review_url,late,override\n"
)


def scores_of(login: str, name: str, day: int, by: str, repository: str) -> str:
    """Return a row of Classroom 50's table: a submission, or none if `by` is "".

    Args:
        login: the person's login at GitHub.
        name: the person's first name.
        day: the day of the submission.
        by: the login of the person who submitted.
        repository: the end of the name of the repository that the link leads to.
    """
    person = f"{login},{name},Doe,{login}@example.org,A"
    if not by:
        return f"{person},,,,,,,,\n"
    time = f"2026-11-{day:02}T10:00:00Z"
    link = f"https://github.com/org/fall-dqn-{repository}/compare/a...b"
    return f"{person},7,9,{time},submit/{time},{by},{link},false,\n"


@pytest.mark.parametrize(
    ("rows", "names", "lost"),
    [
        (
            [
                *(("janed", "Jane", 2, "max", "janed"), ("janed", "Jane", 1, "janed")),
                *(("max", "Max", 2, "max", "janed"), ("max", "Max", 1, "janed")),
                *(("Cy", "Cy", 2, "Cy", "cy"), ("ann", "Ann", 1, "")),
            ],
            ["Cy Doe", "Jane Doe & Max Doe"],
            "",
        ),
        # Max's repository is not there.
        (
            [("janed", "Jane", 2, "janed", "janed"), ("max", "Max", 1, "max", "max")],
            ["cy at GitHub", "Jane Doe"],
            "Max Doe",
        ),
        # Max has written the link to Jane's repository into his own result.
        (
            [("janed", "Jane", 2, "janed", "janed"), ("max", "Max", 1, "max", "janed")],
            ["cy at GitHub", "Jane Doe"],
            "Max Doe",
        ),
        # Cy has copied all of Jane's result; Max may be of either group.
        (
            [(login, login, 2, "janed", "janed") for login in ("janed", "cy", "max")],
            ["cy Doe", "janed Doe"],
            "max Doe",
        ),
    ],
)
def test_groups_of_classroom_50(tmp_path, rows, names, lost):
    """The members of a group own the repository of the one member who has one.

    They have the same submissions in the table of scores. Whoever has submissions and
    no repository that is certain is named.
    """
    folder = tmp_path / "fall-dqn_submissions_2026_11_03_T_10_00_00"
    made(folder, "fall-dqn-janed/.git/HEAD", "fall-dqn-cy/.git/HEAD")
    full = [(*row, row[3])[:5] for row in rows]
    (folder / "scores.csv").write_text(HEAD_50 + "".join(scores_of(*r) for r in full))
    found = recognised(folder, "Git repositories")
    assert [hand_in.who for hand_in in found.hand_ins] == names
    why = f"it has scores of people whose repository is not certain: {lost}"
    assert found.ignored[0] == (
        "scores.csv",
        why if lost else "neither .py, .ipynb, .zip nor folder",
    )
    roster = "name,email\n" + "".join(f"{n} Doe,{n}@example.org\n" for n in PEOPLE_50)
    attended = attendance(Places(read_roster(sheet_of(roster)), {}), found)
    each = "scores.csv has scores, but it is not certain in which repository"
    people = [(one.name.casefold(), why) for one, why in attended.without_file]
    assert people == [(lost.casefold(), each)] * bool(lost)
    absent = [one.name for one in attended.absent]
    assert ("max Doe" in absent, "ann Doe" in absent) == (False, True)
