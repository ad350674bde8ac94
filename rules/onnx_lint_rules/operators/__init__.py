"""Rules about operators and modules of which the table of verdicts has something to say."""
