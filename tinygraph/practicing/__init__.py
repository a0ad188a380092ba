"""Practice backpropagation by hand: questions, wrong answers with hints, and backward passes with a mistake."""
