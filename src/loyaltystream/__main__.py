"""`python -m loyaltystream` is the command line."""

from loyaltystream.cli import main

main()
