"""Find the hand-ins in a platform's download, and who handed them in.

`download.find` looks at a folder. A module for each platform knows the names that this
platform gives to files and folders; the module's docstring says where the names are
defined. The module's function `pieces` returns what the names of a folder's entries
say. No module reads the contents of a hand-in.
"""

from grader.classroom.layouts.download import find
from grader.classroom.layouts.found import Found, HandIn, Owner, normal_name

__all__ = ["Found", "HandIn", "Owner", "find", "normal_name"]
