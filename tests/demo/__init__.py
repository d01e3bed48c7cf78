"""The demo: what it counts, when it kills, what it shows; its parts on fakes of this folder."""
