"""Know files and folders that are named after their owner.

Their names do not have the form of any platform.
"""

import os

from grader.classroom.layouts.files import (
    KINDS,
    is_folder,
    is_hand_in,
    is_nobodys,
    owner_of_file,
)
from grader.classroom.layouts.found import Owner, Piece


def piece(entry: os.DirEntry[str]) -> Piece:
    """Return the piece of a file or folder that has its owner's name.

    The piece says why it is no hand-in if the entry is a link, a file that cannot be a
    hand-in, or a file with a name that every student's file has.
    """
    who = f"/{entry.name}"  # no platform's text begins with a slash
    if entry.is_symlink():
        return Piece(who, why_not="it is a link")
    if is_folder(entry):
        return Piece(who, (Owner(entry.name, {"login": entry.name}),))
    if not is_hand_in(entry.name):
        return Piece(who, why_not=f"neither {', '.join(KINDS)} nor folder")
    if is_nobodys(entry.name):
        return Piece(who, why_not="its name does not say whose it is")
    name = owner_of_file(entry.name)
    return Piece(who, (Owner(name, {"login": name}),), entry.name)
