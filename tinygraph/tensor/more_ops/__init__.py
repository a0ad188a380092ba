"""More array ops: contractions, matrix functions, and interpolation. The functions in `functions` call them."""
