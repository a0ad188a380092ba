"""The Python side of the playground, a page that runs tinygraph in a browser. It imports no NumPy.

`session` answers the requests of the page. `programs` runs a program, `inputs` finds the numbers that the page shows as
sliders, and `problems` explains in plain English what is wrong with a program.
"""
