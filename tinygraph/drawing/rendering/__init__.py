"""From boxes and arrows to DOT text, and from the layout to an SVG element or a file."""
