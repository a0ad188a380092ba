"""The examination of a function that returns its value and its gradients."""
