"""`make dashboards`: writes the rules and dashboards of deploy/ from what is said here."""

from tests.observing.written import ROOT, written


def main() -> None:
    """Write every file."""
    for path, text in written().items():
        file = ROOT / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


if __name__ == "__main__":
    main()
