"""The command `tinygraph`."""
