"""Tables in, tables out: every row and column back as it was, with the verdicts added."""
