"""Writes: the rules, the references and the constraints of records."""
