"""Notebooks → HTML and PDF, tables and figures → the typeset report."""
