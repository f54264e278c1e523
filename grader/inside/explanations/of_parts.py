"""Explain frequent exceptions with networks, optimizers, transitions and buffers.

The explanations are sentences for students.
"""

from grader.inside.explanations.kind import Kind

FUNCTION = r"<class '[\w.]*(?:[Ff]unction|custom_jvp|_\w+Wrapper)'>"
TREE = r"'(?:MLP|Linear|Sequential|GradientTransformation\w*)'"
WHOLE = (
    "JAX takes arrays here, and no functions, as a whole network and an optimizer hold "
    "them: give it theta_Q, and close over the rest"
)
KINDS = (
    # ------------------------------------------------ networks
    Kind(
        "",
        "a network takes one state [D]; here its layer was called on an array of shape "
        "{0}: map it over the batch with jax.vmap",
        facts=r"^Linear \d+ (\(\d+, [\d, ]+\))$",
    ),
    Kind(
        "",
        "a layer with {0} inputs was given {1} numbers",
        facts=r"^Linear (\d+) \((\d+),\)$",
    ),
    Kind(
        "",
        "a layer with {0} inputs was given one single number: is jax.vmap in it once "
        "too often?",
        facts=r"^Linear (\d+) \(\)$",
    ),
    Kind(
        "unexpected keyword argument 'key'",
        "an element of Sequential is called with a key as well: a plain function, such "
        "as an activation, has to be wrapped in eqx.nn.Lambda",
        facts="^Sequential",
    ),
    Kind(
        "",
        "BatchNorm carries a state from call to call, and this network is called with "
        "a state of the environment alone: leave BatchNorm out",
        facts="^BatchNorm",
    ),
    Kind(
        r"BatchNorm\.__call__\(\) missing",
        "BatchNorm carries a state from call to call, and this network is called with "
        "a state of the environment alone: leave BatchNorm out",
    ),
    Kind(
        "Dropout requires a key",
        "Dropout draws at each call, and this network is called without a key: leave "
        "Dropout out",
    ),
    Kind(
        "'NoneType' object is not callable",
        "an activation of this MLP is None, and Equinox calls it: leave the argument "
        "out (without final_activation, no activation follows the last layer)",
        facts="^MLP whole",
    ),
    Kind(
        "'NoneType' object is not callable",
        "one of the layers of this Sequential is None: does a function that makes one "
        "lack its `return`?",
        facts="^Sequential whole",
    ),
    Kind(
        "'NoneType' object is not callable",
        "a function of this network is None: was it given as None, or is this one half "
        "of a network? eqx.combine makes the network of its two halves",
        facts="^(?:MLP|Sequential)$",
    ),
    Kind(
        "for @: 'NoneType'",
        "this is one half of a network, without its arrays: eqx.combine makes the "
        "network of the two halves",
        facts="^Linear",
    ),
    Kind(
        r"Expected a callable value, got (?!None|Array|Replay)[A-Z]"
        r"|'(?!None|Array|Replay)[A-Z]\w*' object is not callable",
        "the network has no method `__call__(self, x)`: this is Equinox's name for "
        "what PyTorch calls forward",
        where="^-$",
    ),
    Kind(
        "object has no attribute 'forward'",
        "an Equinox network is called itself, Q(state): it has no `forward`",
    ),
    Kind(
        # A network gets two arguments, `self` and a state; parts get others.
        r"(\w{1,40})\.__call__\(\) takes .* but (?!2 )\d+ were given",
        "here a part was asked, and its name stands for an object ({0}): does a line "
        "give the name of the function another value?",
        where="^-$",
        facts="^$",
    ),
    Kind(
        r"__call__\(\) (?:takes|missing)",
        "a network is called with one state and nothing else: `__call__(self, x)`",
        where="^-$",
    ),
    Kind(
        r"(?:MLP|Linear|Sequential)\.__call__\(\) takes 2 positional arguments but",
        "a network takes a state alone, and returns the values of all actions",
    ),
    Kind(
        "FrozenInstanceError",
        "Equinox sets only attributes that the class declares: write their names and "
        "types into the class body, above __init__",
        where=r"^__init__: self\.\w+(, self\.\w+)* =",
    ),
    Kind(
        "FrozenInstanceError",
        "an Equinox module cannot be changed once it is built: give all values to "
        "the one that builds it, and return what changes",
    ),
    Kind(
        r"\.__init__\(\) missing \d .*'key'",
        "each layer draws its parameters: it needs `key=`, and another key than the "
        "other layers (jax.random.split)",
    ),
    Kind(
        r"Sequential\.__init__\(\) takes 2",
        "Sequential takes one list of layers",
    ),
    Kind(
        "module '[a-z.]*nn' has no attribute '(ReLU|Tanh|GELU|Sigmoid|LeakyReLU|ELU)'",
        "`{0}` is PyTorch's: activations are functions such as jax.nn.relu, wrapped in "
        "eqx.nn.Lambda where they stand in Sequential",
    ),
    # ------------------------------------------------ gradients and optimizers
    Kind(
        "Gradient only defined for scalar-output functions. Output was None",
        "the function that is differentiated returns None: is a `return` missing?",
    ),
    Kind(
        r"Gradient only defined for scalar-output functions. Output was \(",
        "jax.grad takes the gradient of one number, and this function returns several",
    ),
    Kind(
        "Gradient only defined for scalar-output",
        "jax.grad takes the gradient of one number, shape (): is a mean missing?",
    ),
    Kind(
        "grad requires real- or complex-valued inputs",
        "jax.grad differentiates by its first argument, or by that of `argnums`, and "
        "all of its arrays have to be floats, as theta_Q's are",
    ),
    Kind(
        "expected function with aux output",
        "has_aux=True is for functions that return (loss, more); this one returns the "
        "loss alone",
    ),
    Kind(
        "iteration over a 0-d array",
        "value_and_grad returns (loss, gradient); ((loss, more), gradient) only with "
        "has_aux=True",
        where=r"^\w+: \(\w+, *\w+\), *\w+ *=.*value_and_grad",
    ),
    Kind(
        "cannot unpack non-iterable",
        "jax.grad returns the gradient alone; jax.value_and_grad returns the loss, too",
        where=r"(?<!value_and_)\bgrad\(",
    ),
    Kind(
        "",
        "the updates are one number in the place of parameters: value_and_grad returns "
        "(loss, gradient), in this order",
        facts="^updates: a number",
    ),
    Kind(
        "",
        "the updates are a pair, a number and parameters: value_and_grad returns such "
        "a pair (loss, gradient), so take it apart before optimizer.update",
        facts="^updates: a pair",
    ),
    Kind(
        "",
        "the first argument of optimizer.update is the gradient, the second the state",
        facts="^updates: a tuple, in update",
    ),
    Kind(
        "",
        "optimizer.update returns two things, first the updates, then the new state: "
        "here something else was taken for the updates",
        facts="^updates: a tuple, in apply_updates",
    ),
    Kind(
        "transformation that requires the current value of parameters",
        "this optimizer also reads the parameters: give optimizer.update theta_Q, too",
    ),
    Kind(
        r"GradientTransformation\w*' object has no attribute '(\w+)'",
        "an optax optimizer has no `{0}`, only init and update; update returns updates "
        "and a new state and changes nothing itself",
    ),
    Kind(
        "and 'function'",
        "jax.tree.map takes the function first, then the trees",
        where=r"tree_?\.?map\(",
    ),
    Kind(
        rf"unsupported operand type\(s\) for \S+: (?:{TREE} and|'\w+' and {TREE})",
        "parameters are a tree of arrays and no array: jax.tree.map applies a function "
        "to each of the arrays",
    ),
    Kind(
        rf"{TREE} object has no attribute '(copy|clone|deepcopy)'",
        "a tree of parameters has no `{0}`: JAX arrays never change, so it can be "
        "returned as it is",
    ),
    Kind(
        rf"{TREE} object has no attribute '(apply)'",
        "`{0}` is Flax's: an Equinox network is called itself; eqx.combine makes it of "
        "theta_Q and model",
    ),
    Kind(
        rf"{TREE} object has no attribute '(parameters|state_dict|load_state_dict|eval"
        "|train|named_parameters|zero_grad|to|requires_grad_|items|keys|values)'",
        "a tree of parameters has no `{0}`: it is no PyTorch module and no dict; "
        "jax.tree.map and jax.tree.leaves reach its arrays",
    ),
    Kind(
        rf"{TREE} object is not (?:subscriptable|iterable)",
        "a tree of parameters is no dict and no list: jax.tree.leaves lists its arrays",
    ),
    Kind(
        r"'(?:MLP|Linear)' object has no attribute '(\w+)'",
        "this tree of parameters has no `{0}`: it can belong to another network "
        "than yours; jax.tree.map reaches its arrays, whatever their names",
        where=r"^sync_target: |^\w+: [^.]*\btheta_[QT]\.[^.]*$",
    ),
    Kind(
        r"'(?:MLP|Linear)' object has no attribute '(\w+)'",
        "this network has no `{0}`: it can be another one than yours, so only calling "
        "it is sure to work",
        where=r"^(?:td_loss|mc_loss|td_update): (?!.*\btheta_[QT]\.)",
    ),
    Kind(
        rf"of type '?{FUNCTION}'? (?:is not a valid JAX type|and was passed to "
        r"the function at path \w+(?:\.\w|\[))",
        WHOLE,
    ),
    Kind(
        f"got {FUNCTION}",
        WHOLE,
        where=r"\btree\b|tree_map|init\(",
    ),
    Kind(
        f"(?:of type|got) {FUNCTION}",
        "a function stands where an array is needed: are the ( ) missing that call it?",
    ),
    Kind(
        "Non-hashable static arguments",
        "what holds arrays cannot be static under jax.jit: its values may change",
    ),
    Kind(
        "module 'jax' has no attribute '(?:tree_map|tree_multimap)'",
        "in this version of JAX it is called jax.tree.map",
    ),
    # ------------------------------------------------ transitions and the buffer
    Kind(
        r"values to unpack",
        "a Transition has five fields: state, action, reward, terminated, next_state",
        where=r"[\w, ]+ = (?:\*?batch|self\.buffer\[.*\])$",
    ),
    Kind(
        "'Transition' object has no attribute",
        "a Transition has the fields state, action, reward, terminated, next_state",
    ),
    Kind(
        "'Transition' object does not support item assignment",
        "a Transition cannot be changed: make another one",
    ),
    Kind(
        "AttributeError: can't set attribute",
        "a Transition cannot be changed: make another one",
        where=r": batch\.\w+ [-+*/]?= ",
    ),
    Kind(
        "tuple indices must be integers or slices, not str",
        "a Transition is no dict: its fields are attributes, such as batch.state",
        where=r"batch\[",
    ),
    Kind(
        "'tuple' object has no attribute '(?:state|action|reward|terminated|next_st)",
        "a plain tuple has no names for its fields; a Transition has",
    ),
    Kind(
        "'ReplayBuffer' object has no attribute|'ReplayBuffer' has no len",
        "ReplayBuffer needs the methods add, sample and __len__, with these names",
        where="^-$",
    ),
    Kind(
        "sequence index must be integer, not 'slice'",
        "a deque cannot be sliced: take its items one by one, by their numbers",
    ),
    Kind(
        "(?i)only integer scalar arrays can be converted to a scalar index",
        "range takes whole numbers, and here it was given an array: is len(…) missing?",
        # Either an argument that is an array, or a line without any index.
        where=r"\brange\((?:\w*states|actions|rewards|terminateds)\)"
        r"|^(?!.*[\w\])]\[).*\brange\(",
    ),
    Kind(
        "(?i)only integer scalar arrays can be converted to a scalar index",
        "the arrays to put together come as one list: np.concatenate([a, b])",
        where=r"(?:concatenate|stack)\([^\[\]]*$",
    ),
    Kind(
        "(?i)only integer scalar arrays can be converted to a scalar index",
        "a list or a deque takes one whole number as its index; only an array takes an "
        "array of them",
        where=r"[\w\])]\[",
    ),
    Kind(
        "(?i)only integer scalar arrays can be converted to a scalar index",
        "one whole number is needed here: an int, or an array of shape () and of an "
        "integer type",
    ),
    Kind(
        # The second message is that of Python 3.13 and later.
        "'maxsize' is an invalid keyword argument for deque|"
        r"deque\(\) got an unexpected keyword argument 'maxsize'",
        "the bound of a deque is called `maxlen`",
    ),
    Kind(
        "(?i)larger (?:sample )?than population",
        "more rows are drawn than the buffer holds; no more than len(buffer) are ever "
        "asked for: is batch_size the number of rows that are drawn?",
    ),
    Kind(
        "IndexError: .*(?:out of range|out of bounds)",
        "there is no such place to write to: is the buffer as long as its capacity "
        "from the start, and is the oldest row overwritten when it is full?",
        where=r"^add: .*\] *=(?!=)",
    ),
    # ------------------------------------------------ names, arguments, imports
    Kind(
        "NameError: name 'optim' is",
        "`optim` is not defined: in the starter, td_update's argument is `optimizer`",
        where="^td_update: ",
    ),
    Kind(
        "NameError: name '(torch|tf|tensorflow|keras|flax|linen|nn|F|optim)'",
        "`{0}` is not imported, and the homework needs neither PyTorch nor TensorFlow: "
        "it is written with jax, equinox, optax and numpy",
    ),
    Kind(
        "NameError: name '(deque|random|math|functools|partial|itertools|collections"
        "|copy|namedtuple|dataclass|lax|vmap|jit|grad|nnx|os|time|Any|Callable|Optional"
        "|Union|Sequence|Iterable|Iterator|List|Dict|Tuple|Deque|NamedTuple)'",
        "`{0}` is not imported: an import at the top of dqn.py is missing",
    ),
    Kind(
        "No module named '(torch|tensorflow|keras|flax|haiku|gym|stable_baselines3)'",
        "`{0}` is not installed where it is graded: use jax, equinox, optax, numpy "
        "and, for environments, gymnasium",
    ),
    Kind(
        r"No module named '([A-Za-z_]\w{0,39})'",
        "only dqn.py is graded, without any other file: functions of your own belong "
        "in it",
    ),
    Kind(
        r"UnboundLocalError: cannot access local variable '(\w{1,40})'",
        "a line of the function assigns to `{0}`, so `{0}` is a variable of its own, "
        "and here it has no value yet: give it one before this line, or take it as an "
        "argument",
    ),
    Kind(
        r"\w\(\) (?:takes|missing|got)",
        "the arguments are not those of the starter's function or method, which has to "
        "keep them (`self` is the first one of a method)",
        where="^-$",
        facts="^$",
    ),
    Kind(
        "RecursionError",
        "a function calls itself, directly or by another, without an end",
    ),
)
