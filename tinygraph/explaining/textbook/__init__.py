"""Formulas as a textbook prints them: of ops and their derivatives, with their names set."""
