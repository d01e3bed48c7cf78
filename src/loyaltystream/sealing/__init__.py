"""The originals of dead letters, encrypted at rest: only who has the key reads them.

`keys` is what the settings say, `ring` seals and opens bytes, `originals` does it to a letter.
"""
