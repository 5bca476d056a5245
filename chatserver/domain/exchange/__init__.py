"""Even exchange: two people, an equal time for each."""
