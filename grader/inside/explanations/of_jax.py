"""Explain to students frequent exceptions that JAX and NumPy raise in their code."""

from grader.inside.explanations.kind import Kind

ARRAY = r"(?:Array\w*|ndarray|Tracer)'?(?: object)? has no attribute '?"
PYTORCH = (
    "unsqueeze|view|permute|cpu|cuda|to|numpy|float|long|int|bool|double|type|clone"
    "|size|index_select|masked_fill|expand|requires_grad|requires_grad_|grad|data|eq"
    "|contiguous|detach_|scatter_|mul|add|sub|pow|abs|sqrt|exp|log"
)
# The start of a line of code where nothing else needs a bool.
NO_BRANCH = r"^(?!.*\b(?:if|while|and|or|not|assert)\b)[^#]*"
NO_BOOL = "truth value of an array with more than one element is ambiguous"
ABOUT_D = r"(?i)termin|done|\bd\b"
DRAWS = (
    r"\b(?:split|fold_in|normal|uniform|randint|choice|permutation|bernoulli"
    "|categorical|gumbel|truncated_normal)"
)
A_KEY = "the first argument of the functions of jax.random is a key"
NO_MASK = (
    "under jax.jit a mask cannot pick entries, because their number would depend on "
    "values: compute all rows, then choose with jnp.where"
)
KINDS = (
    # ------------------------------------------------ traced values
    Kind(
        f"TracerBoolConversionError|{NO_BOOL}",
        "Python's max, min, sorted, any and all decide as an `if` does, by one bool "
        "that has a value: jnp.maximum, jnp.max, jnp.sort and jnp.any compute with "
        "arrays",
        where=NO_BRANCH + r"(?<![.\w])(?:max|min|sorted|any|all)\(",
    ),
    Kind(
        f"TracerBoolConversionError|{NO_BOOL}",
        "`in`, remove, index and count compare items by ==, and between arrays this "
        "gives an array, where one bool is needed: look items up by their numbers",
        where=rf"(?!.*\bfor\b){NO_BRANCH}(?:\bin\b|\.(?:remove|index|count)\()"
        r"|: (?:el)?if (?!.*\b(?:and|or)\b)[^=<>:]+ in [^=<>:]+:$",
    ),
    Kind(
        "TracerBoolConversionError",
        "under jax.jit and jax.vmap an array has no value yet, so no Python `if`, "
        "`while`, `and`, `or`, `not` or `assert` can depend on it: jnp.where chooses "
        "between arrays",
    ),
    Kind(
        r"unsupported format string passed to \w*(?:Tracer|Array)",
        "while JAX traces a function an array cannot be put into a format like :.3f: "
        "take the line out, or use jax.debug.print",
    ),
    Kind(
        "The problem arose with the `float` function",
        "while JAX traces a function an array cannot become a Python number, for "
        "printing neither: take the line out, or use jax.debug.print",
        where=r"print\(|%",
    ),
    Kind(
        "(?s)ConcretizationTypeError.*(?:`(?:float|int|bool|complex)` function|item)",
        "while JAX traces a function an array cannot become a Python number (float, "
        "int, bool, item): compute with the array itself",
    ),
    Kind("The size argument of jnp.nonzero", NO_MASK),
    Kind(
        "ConcretizationTypeError",
        "while JAX traces a function an array has no value yet, and here one is "
        "needed, as for a shape, a range or a choice in Python",
    ),
    Kind(
        "TracerIntegerConversionError",
        "while JAX traces a function an array cannot be a Python integer, as `range`, "
        "shapes and lists need it",
    ),
    Kind(
        "TracerArrayConversionError",
        "the order of jax.random.randint is (key, shape, minval, maxval)",
        # The fourth argument is a tuple, and the second is none.
        where=r"(?<!np\.)random\.randint\([^(),]+,\s*[^(\s=,][^,=]*,[^,=]*,\s*\(",
    ),
    Kind(
        "TracerArrayConversionError",
        "NumPy cannot compute with an array that JAX traces (under jit, grad, vmap): "
        "use jnp in the place of np",
    ),
    Kind("NonConcreteBooleanIndexError", NO_MASK),
    Kind(
        "Shapes must be 1D sequences of concrete values",
        "under jax.jit a shape cannot depend on the values of an array, such as a sum "
        "or a count",
    ),
    # ------------------------------------------------ arrays
    Kind(
        "JAX arrays are immutable",
        "a JAX array is never changed in place: x.at[i].set(v) and x.at[i].add(v) "
        "return another one, which has to be kept",
    ),
    Kind(
        "(?:destination|output array) is read-only",
        "this array may not be changed in place: change a copy, or compute another",
    ),
    Kind(
        r"ndarray' object has no attribute 'at'",
        "`.at` belongs to JAX arrays, and this is NumPy's: jnp.asarray makes one",
    ),
    Kind(
        ARRAY + "detach",
        "`detach` is PyTorch's, and not needed: jax.grad differentiates by its first "
        "argument alone (jax.lax.stop_gradient is for all else)",
    ),
    Kind(
        ARRAY + "(gather|scatter)",
        "`{0}` is PyTorch's: a JAX array is indexed by arrays, one with the numbers of "
        "the rows and one with those of the columns",
    ),
    Kind(
        ARRAY + "backward",
        "JAX has no backward(): jax.grad or jax.value_and_grad make of a function one "
        "that returns its gradient",
    ),
    Kind(
        ARRAY + "(values|indices)",
        "JAX's max returns the largest values alone; `.{0}` is PyTorch's",
        where=r"max\(",
    ),
    Kind(
        ARRAY + f"({PYTORCH})'?$",
        "a JAX array has no `{0}`, as PyTorch's and TensorFlow's have: its methods are "
        "those of NumPy's arrays, such as astype and reshape",
    ),
    Kind(
        ARRAY + "(append|insert|extend|pop|reverse|remove)",
        "an array is no list and has no `{0}`: its length is fixed",
    ),
    Kind(
        "unexpected keyword argument '(?:dim|keepdim)'",
        "NumPy and JAX say `axis` and `keepdims` where PyTorch says dim and keepdim",
    ),
    Kind(
        "Indexer must have integer|used as indices must be of integer|only integers,",
        "an index has to be of an integer type",
    ),
    Kind(
        NO_BOOL,
        "a Python `if`, `not`, `and` or `or` takes one bool, and this is an array of "
        "them: jnp.where chooses entry by entry",
    ),
    Kind(
        "Pred must be a scalar",
        "jax.lax.cond decides once, by one bool: jnp.where chooses entry by entry",
    ),
    Kind(
        "not does not accept dtype float|ufunc 'invert' not supported",
        "~ is the bitwise not, for bool and whole numbers: `terminated` may also be "
        "0.0 and 1.0",
        where=ABOUT_D,
    ),
    Kind(
        "not does not accept dtype float|ufunc 'invert' not supported",
        "~ is the bitwise not, for bool and whole numbers alone",
    ),
    Kind(
        "(?:neg|sub) does not accept dtype bool|numpy boolean (?:subtract|negative)",
        "bools cannot be subtracted or negated: turn `terminated` into numbers first",
        where=ABOUT_D,
    ),
    Kind(
        "(?:neg|sub) does not accept dtype bool|numpy boolean (?:subtract|negative)",
        "bools cannot be subtracted or negated: ~x is their `not`, and x.astype(float) "
        "makes numbers of them",
    ),
    Kind(
        "requires ndarray or scalar arguments, got <class '(list|tuple)'>",
        "the functions of jnp take arrays and no {0}: jnp.array or jnp.stack makes one",
    ),
    Kind(
        r"(?:arguments, got|problematic value is of type) <class 'equinox\.nn\.",
        "a network or a tree of parameters is no array: jax.tree.map applies a "
        "function to each array of parameters, and a network is called on a state",
    ),
    Kind(
        "got <class 'NoneType'>|None is not a valid value for jnp.array",
        "None stands where a number or an array is needed",
    ),
    Kind(
        "(?i)only (?:scalar|0-dimensional) arrays",
        "only an array of shape () becomes a Python number: [0] or a mean takes an "
        "axis away",
    ),
    Kind(
        "(?i)only length-1 arrays|array of size 1",
        "only an array of exactly one number becomes a Python number",
    ),
    Kind(
        "unhashable type: '[^']*(?:Array|Tracer)",
        "an array can be no key of a dict, no member of a set and no static argument",
    ),
    Kind(
        "indices and arr must have the same number of dimensions",
        "take_along_axis takes indices with as many axes as the array has",
    ),
    Kind(
        "unsupported operand type.*'NoneType'",
        "one of the two is None: does a function lack its `return`?",
    ),
    Kind(
        "vmap got inconsistent sizes|implies that its rank should be at least 1",
        "jax.vmap maps each argument over its first axis; one without a batch axis "
        "needs None in `in_axes`",
    ),
    Kind(
        "Expected a callable value, got",
        "jax.grad, jax.vmap and jax.jit take a function, and not what it returns",
        where=r"(?:grad|vmap|jit)\(",
    ),
    Kind(
        "module 'jax' has no attribute 'stop_gradient'",
        "it is called jax.lax.stop_gradient",
    ),
    Kind(
        r"'(?:float|int|tuple|[\w.]*Array\w*|\w*Tracer)' object is not callable",
        "what stands before the ( is a value and no function: is an operator missing, "
        "or are the ( ) too many?",
        where="^(?!-$)",
    ),
    Kind(
        "vmap in_axes must be an int",
        "jax.vmap takes a function and returns one, which is then called on the batch",
    ),
    Kind(
        "(?i)need at least one array to concatenate|dimensional arrays cannot be conc",
        "concatenate takes one list of arrays, and each needs an axis; stack makes one",
    ),
    Kind(
        "(?i)all input arrays must have the same shape",
        "the arrays to stack have different shapes (None has none)",
    ),
    Kind(
        "need at least one array to stack",
        "the list of arrays to stack is empty",
    ),
    Kind(
        r"\bp'? must be 1-dimensional",
        "`choice` takes one distribution p [A] for all of its draws",
        where=r"\.choice\(",
    ),
    Kind(
        r"inhomogeneous shape|\ba'? must be 1-dimensional",
        "`choice` makes an array of what it draws from, and transitions hold things of "
        "several shapes: draw the numbers of the rows",
        where=r"\.choice\(",
    ),
    Kind(
        "inhomogeneous shape",
        "things of different shapes (arrays of several lengths, arrays beside numbers, "
        "None) cannot be put into one array: make one array of each field",
    ),
    Kind(
        "scan body output must be a pair",
        "the function that jax.lax.scan repeats returns two things: what is carried "
        "to the next step, and what is put out",
    ),
    Kind(
        "(?s)scan.*carry.*(?:identical|equal|same) types",
        "what jax.lax.scan carries has to keep its shape and type in each step",
    ),
    # ------------------------------------------------ random numbers
    Kind(
        r"random\.\w*\.?Generator' object has no attribute '(\w+)'",
        "rng is a NumPy Generator: its methods are integers, random, choice, "
        "permutation and others, but not `{0}`",
    ),
    Kind(
        "unexpected PRNG key type <class 'numpy.random",
        "rng is NumPy's generator and no key of JAX: draw by its own methods",
    ),
    Kind(
        "(?:unexpected|invalid) PRNG key",
        A_KEY,
    ),
    Kind(
        rf"{DRAWS}\(\) got multiple values for argument 'key'",
        A_KEY,
        where=r"random\.\w+\(",
    ),
    Kind(
        r"got multiple values for argument '(\w{1,40})'",
        "two arguments arrive as `{0}`, one by its place and one by its name: compare "
        "the order with that of its definition",
        where="^(?!-$)",
    ),
    Kind(
        "module 'jax.numpy' has no attribute 'random'",
        "random numbers are in jax.random, and each of its draws needs a key",
    ),
    Kind(
        "SeedSequence expects",
        "a JAX key is no seed for NumPy: draw with jax.random and the key",
        where="key",
    ),
    Kind(
        "(?:PRNGKey|key) accepts a scalar seed",
        "`key` is a key already: jax.random.split makes more of it",
    ),
    Kind(
        "iteration over a 0-d key array",
        "a key is one thing and no pair of numbers: jax.random.split makes several",
    ),
    Kind(
        "Too many indices: array is 0-dimensional",
        "a key is one thing and no pair of numbers: jax.random.split makes several",
        where=r"\bkey\[",
    ),
    Kind(
        "values to unpack",
        "jax.random.split(key, n) returns n keys, and two without n",
        where=r"random\.split\(",
    ),
)
