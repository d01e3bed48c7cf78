"""Dead letters: what they say, and which are meant.

`letter` reads one, `choosing` finds those that are meant, `counting` counts them, `marking` puts
what is wrong where it is, `telling` and `screen` say all of it to programs and to people.
"""
