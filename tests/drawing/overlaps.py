"""Measure which labels of arrows and scopes overlap an arrow or another label, in the layout's own output."""

import json
import re
import subprocess
from itertools import combinations


def _boxes(part):
    """Yield the visible text of the label of an edge or a scope as (left, bottom, right, top, text), in points."""
    size = 0.0
    for op in part.get("_ldraw_", []):
        if op["op"] == "F":
            size = op["size"]
        text = op.get("text", "").replace("\xa0", " ")
        if op["op"] != "T" or not text.strip():
            continue
        x, y = op["pt"]
        width = op["width"]
        left = {"l": x, "c": x - width / 2, "r": x - width}[op["align"]]
        space = 0.278 * size  # width of a space in Arial and Helvetica
        before, after = (len(text) - len(stripped) for stripped in (text.lstrip(), text.rstrip()))
        yield left + before * space, y - 0.2 * size, left + width - after * space, y + 0.75 * size, text


def _points(edge, per_piece=40):
    """Return points on the curve of an edge."""
    found = []
    for op in edge.get("_draw_", []):
        if op["op"] not in "bB":
            continue
        points = op["points"]
        for i in range(0, len(points) - 3, 3):
            for k in range(per_piece + 1):
                t, s = k / per_piece, 1 - k / per_piece
                weights = (s**3, 3 * s * s * t, 3 * s * t * t, t**3)
                found.append(
                    tuple(sum(w * p[axis] for w, p in zip(weights, points[i : i + 4], strict=True)) for axis in (0, 1))
                )
    return found


def overlaps(source, engine, margin=0.0):
    """Return the number of labels, and the pairs of a label with an arrow or a label that overlap."""
    # dot 2.43 crashes if it writes an arrow with two colors as JSON; its curve does not depend on the colors.
    source = re.sub(r'(color="#\w+):#\w+"', r'\1"', source)
    for _ in range(40):  # it also crashes at random, about every second time, when it writes the JSON of some graphs
        done = subprocess.run([engine, "-Tjson"], input=source.encode(), capture_output=True, check=False)
        if done.returncode >= 0:
            break
    done.check_returncode()
    found = json.loads(done.stdout)
    edges = [edge for edge in found.get("edges", []) if edge.get("style") != "invis"]
    scopes = [part for part in found.get("objects", []) if part["name"].startswith("cluster")]
    labels = [box for part in (*edges, *scopes) for box in _boxes(part)]
    curves = {edge["id"]: _points(edge) for edge in edges if "id" in edge}
    hits = [
        (text, key)
        for left, bottom, right, top, text in labels
        for key, points in curves.items()
        if any(left - margin <= x <= right + margin and bottom - margin <= y <= top + margin for x, y in points)
    ]
    hits += [
        (p[4], q[4])
        for p, q in combinations(labels, 2)
        if min(p[2], q[2]) - max(p[0], q[0]) > 0.5 and min(p[3], q[3]) - max(p[1], q[1]) > 0.5
    ]
    return len(labels), hits
