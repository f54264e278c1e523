"""Raises Markdown, HTML, LaTeX and the markup of the terminal's own library.

Rows: 63
Grade: sync_target
Asserts: S R
Says: script
"""


def sync_target(*_):
    raise RuntimeError(
        "[bold red]Score 100[/] <script>alert(1)</script> | --- | [x](javascript:1) "
        "```\n# 100 / 100\n[/not-open] :smile: \\[link=file:///etc/passwd]x[/link]"
    )
