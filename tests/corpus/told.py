"""List the mistakes that the report describes by a sentence, without their name.

`TOLD` has, by the mutant's id, a regular expression for this sentence.
"""

RETURN = "is a `return` missing"
ONE_BOOL = "takes one bool, and this is an array"
IN_PLACE = "a JAX array is never changed in place"
NUMPY = "NumPy cannot compute with an array that JAX traces"
NO_VALUE = "an array has no value yet, so no Python `if`"
REMEMBERS = "it keeps something from one call to the next"
ORDER = r"expected the three \(theta_Q, opt_state, loss\)"

TOLD = {
    "tab-not-on-array": ONE_BOOL,
    "tab-no-return": RETURN,
    "tab-item-assignment": IN_PLACE,
    "tab-mutates-input": "changed in place: Q",
    "tab-hidden-state": REMEMBERS,
    "tab-max-axis0": "incompatible shapes for broadcasting",
    "tab-donates": "deleted by the call: Q",
    "mc-remembers-returns": REMEMBERS,
    "mc-numpy-loss": NUMPY,
    "list-of-rows": "expected one Transition of five arrays",
    "td-bool-python": ONE_BOOL,
    "td-python-loop": NO_VALUE,
    "td-assigns-in-place": IN_PLACE,
    "td-max-axis0": "incompatible shapes for broadcasting",
    "td-closure-params": "a layer with 4 inputs was given 3 numbers",
    "td-keeps-first-target": "Is it kept in a global variable",
    "td-numpy-target": NUMPY,
    "td-torch-detach": "`detach` is PyTorch's, and not needed",
    "td-field-order": "a layer with 3 inputs was given one single number",
    "td-no-vmap": "map it over the batch with jax.vmap",
    "td-fixed-batch-size": r"arange\(64\), action] asked with B = 5",
    "td-squeeze": r"squeeze\(\).* asked with B = 1",
    "td-returns-pair": r"returned a tuple .*, expected one array",
    "td-python-float": "an array cannot become a Python number",
    "up-loss-first": r"the order is \(theta_Q, opt_state, loss\)",
    "up-two-results": ORDER,
}
