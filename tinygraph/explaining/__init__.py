"""The backward pass in words: notation, the edges of a pass, the breakdown of a gradient, and diagnosis."""
