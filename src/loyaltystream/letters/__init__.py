"""Dead letters: what they say, and what people do with them.

`letter` reads one, `choosing` says which are meant, `showing` marks what is wrong where it is.
"""
