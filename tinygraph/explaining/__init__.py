"""The backward pass in words: notation, the walk along its edges, the breakdown of a gradient, diagnosis."""
