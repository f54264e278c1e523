"""Inspect a file's contents without running them.

The functions tell the kind of a file by its first bytes, and why bytes cannot be Python
source. They also find places where a person who reads the file would see other code
than Python runs.
"""

import re
import unicodedata

ZIP, NOTEBOOK = "zip archive", "notebook"
# The first bytes of files that are handed in by mistake.
BEGINNINGS = (
    (b"PK\3\4", ZIP),
    (b"PK\5\6", ZIP),  # an archive without files
    (b"Rar!\x1a\7", "RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"\x1f\x8b", "gzip archive"),
    (b"BZh", "bzip2 archive"),
    (b"\xfd7zXZ\0", "xz archive"),
    (b"\x28\xb5\x2f\xfd", "Zstandard archive"),
    (b"%PDF-", "PDF document"),
    (b"{\\rtf", "RTF document"),
    (b"\xd0\xcf\x11\xe0", "Word document, or another one of Office"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
)
TAR = slice(257, 262)  # bytes with the signature of a tar archive
PAGE = re.compile(rb"\s*<(!doctype html|html)\b", re.I)
JSON = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"(cells|metadata|nbformat\w*|worksheets)"')
WIDE = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)

# A comment that declares an encoding; Python looks for it in the first two lines.
ENCODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
# Characters that change the direction of the text after them, and characters that end a
# line either for Python or for some editors, but not for both.
MISLEADING = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\x85\u2028\u2029]|\r(?!\n)"
)


def kind_of(data: bytes) -> str:
    """Return the kind of a file, for example "zip archive"; "" if the kind is unknown.

    Args:
        data: the first 512 bytes of the file, or the whole file if it is shorter.
    """
    for beginning, kind in BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data[TAR] == b"ustar":
        return "tar archive"
    if PAGE.match(data):
        return "web page"
    return NOTEBOOK if JSON.match(data) else ""


def no_text(data: bytes) -> str:
    """Return why bytes cannot be Python source, or "" if they can.

    Python source has to be UTF-8 text that is not empty and has no NUL character. The
    reason is the end of a sentence about the file, for example "is empty".
    """
    for mark, encoding in WIDE:
        if data.startswith(mark):
            return f"is not UTF-8 text but {encoding}: save it as UTF-8"
    begin = data[:200]
    if begin.count(0) * 3 > len(begin):  # in UTF-16 each Latin letter has a zero byte
        return "is not UTF-8 text but perhaps UTF-16: save it as UTF-8"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = line_of(data[: error.start].decode("latin-1"))
        return f"is not UTF-8 text (line {line}; perhaps Latin-1): save it as UTF-8"
    if not text.strip():
        return "is empty"
    if "\0" in text:
        line = line_of(text.partition("\0")[0])
        return f"holds a NUL character (line {line}): is it a Python file?"
    return ""


def decoded(source: bytes) -> str:
    """Return a source as text, decoded from UTF-8, with Unix line ends.

    Bytes that are not UTF-8 become �. A declared encoding is ignored, because a comment
    can turn into code in another encoding. The returned text is what the grader runs,
    shows and compares.
    """
    return re.sub("\r\n?", "\n", source.decode("utf-8-sig", "replace"))


def misleading(source: bytes) -> list[str]:
    """Return sentences on places where a person would see other code than Python runs.

    Such places are a declared encoding other than UTF-8, and the characters that
    `misleading_characters` finds. The list is empty if there is no such place.
    """
    return [*other_encoding(source), *misleading_characters(source)]


def other_encoding(source: bytes) -> list[str]:
    """Return a list with one sentence on the declared encoding, if it is not UTF-8.

    The list is empty if UTF-8 or no encoding is declared.
    """
    for number, line in enumerate(decoded(source).split("\n", 2)[:2], 1):
        declared = ENCODING.match(line)
        if declared and not re.match("utf[-_]?8", declared[1], re.I):
            return [
                f"dqn.py, line {number}: the encoding {declared[1][:40]} that is "
                "declared there has no effect: a hand-in is read as UTF-8"
            ]
    return []


def misleading_characters(source: bytes) -> list[str]:
    """Return a sentence on each misleading character, with the lines of its first uses.

    Misleading characters change the direction of writing, or end a line only for Python
    or only for some editors. A sentence names at most three lines. The list is empty if
    there are no such characters.
    """
    text = source.decode("utf-8-sig", "replace")
    places: dict[str, list[int]] = {}
    for match in MISLEADING.finditer(text):
        if match[0] == "\r" and "\n" not in text:
            continue  # on old Macs, \r is the usual line end
        where = places.setdefault(name_of(match[0]), [])
        if len(where) < 3:
            where.append(line_of(text[: match.start()]))
    found = []
    for name, lines in places.items():
        shown = ", ".join(f"dqn.py:{line}" for line in dict.fromkeys(lines))
        found.append(f"{shown}: with {name} text reads otherwise than it runs")
    return found


def name_of(character: str) -> str:
    """Return a misleading character's number and name: "U+202E (right-to-left ...)"."""
    names = {"\r": "CARRIAGE RETURN", "\x85": "NEXT LINE"}
    name = names[character] if character in names else unicodedata.name(character)
    return f"U+{ord(character):04X} ({name.lower()})"


def line_of(before: str) -> int:
    """Return the number, from 1, of the line that contains a given character.

    Args:
        before: text of the file before this character.
    """
    return len(re.findall("\r\n?|\n", before)) + 1
