"""What is wrong with a definition, or with a wish to change one. Pure."""

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a definition.

    Attributes:
        code: the vendor's number, or a word of ours where it has none.
        message: in the vendor's words, where it has some.
        field: the name of the field that is meant, where its words don't say it.
    """

    code: int | str
    message: str
    field: str | None = None

    @property
    def line(self) -> str:
        """All of it, for people."""
        return f"{self.code} {self.message}" + (f" ({self.field})" if self.field else "")
