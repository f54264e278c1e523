"""Find the hand-ins in a platform's download, and who handed them in.

`download.find` looks at a folder. A module for each platform knows the names that this
platform gives to files and folders; the module's docstring says where the names are
defined. The module's function `pieces` returns what the names of a folder's entries
say. Of hand-ins, contents are read only to choose among several files
(`files.ranks_of`), and in ILIAS if one of a person's or team's files is late.
"""

from grader.classroom.layouts.download import find
from grader.classroom.layouts.found import Found, HandIn, Owner, normal_name, words_of

__all__ = ["Found", "HandIn", "Owner", "find", "normal_name", "words_of"]
