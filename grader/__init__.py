"""The autograder of the deep Q-learning homework.

Each folder is one room. `contract` says what is asked. `intake` reads the hand-in, and
`sandbox` confines it. `inside` holds the code that runs confined. `oracle` asks for
answers, and `checks` and `grading` judge them. `diagnosis` names mistakes, and
`report` shows the result. `watch` grades at each save, `classroom` a whole class. The
module `cli` is the command line, and `arguments` reads the values of its options.

The hand-in runs only in processes that run the code of `inside`, except under
`INPROCESS=1`.
"""
