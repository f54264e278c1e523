"""Run libFuzzer once on one target: `one.py TARGET FOLDER [OPTIONS OF LIBFUZZER]`.

TARGET is "programs" for the function `reading.program`, or the name of a function in
`targets`. The inputs that libFuzzer keeps are written to FOLDER/corpus.
"""

import sys
from pathlib import Path

import atheris

target, folder, *options = sys.argv[1:]
if target == "programs":
    import jax.export  # not instrumented, because that would take a minute

    with atheris.instrument_imports(
        include=[
            "grader.inside.programs",
            "grader.inside.operations",
            "flatbuffers",
            "jax",
        ]
    ):
        import jax._src.export.serialization  # noqa: F401

        from grader.inside import programs  # noqa: F401
    from tests.tools.fuzz.reading import program as body
    from tests.tools.fuzz.reading import seeds
else:
    with atheris.instrument_imports(include=["grader"]):
        from grader.sandbox import helper
    from tests.tools.fuzz import targets
    from tests.tools.fuzz.frames import seeds

    helper.secrets.token_bytes = lambda size: targets.NONCE  # type: ignore[assignment]
    body = getattr(targets, target)

corpus = Path(folder) / "corpus"
for number, seed in enumerate(seeds(target)):
    (corpus / f"seed-{number}").write_bytes(seed)
atheris.Setup([sys.argv[0], *options, str(corpus)], body)
atheris.Fuzz()
