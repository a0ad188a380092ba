"""The files that a Stepper writes: an interactive page, an animation, one page per step, or one image per step."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinygraph.drawing.layout_engines import LONGEST_SIDE, check_pixels
from tinygraph.drawing.options import DrawOptions
from tinygraph.drawing.rendering.glyphs import with_all_glyphs
from tinygraph.stepping.animation import HOLD, animated
from tinygraph.stepping.film import Film
from tinygraph.support.files import PAGES, write_whole
from tinygraph.support.messages import install_command

if TYPE_CHECKING:
    from PIL import Image

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
WHOLE = (*PAGES, ".svg", ".gif", ".pdf")  # one file for all steps
NUMBERED = (".svg", ".png")  # one file per step
CSS, RESOLUTION = 96.0, 192.0  # dots per inch of a drawing, and of an image unless an option determines its size
SHORTEST, LONGEST = 0.01, 200.0  # time per step of a .gif, which counts hundredths of a second in 16 bits
LARGEST_GIF = 2e9  # pixels of all images together, each of which takes a byte of memory
LARGEST_GIF_IMAGE = 89e6  # pixels; Pillow warns about a larger image


def check_name(path: Path) -> bool:
    """Check the name of a file to write, and return whether it stands for one file per step.

    Args:
        path: File to write.

    Returns:
        True if the name contains a field for the number of the step, such as {:02}.

    Raises:
        ValueError: If no format belongs to the name.

    Examples:
        >>> check_name(Path("walk.gif")), check_name(Path("step-{:02}.svg"))
        (False, True)
    """
    numbered = "{" in path.name
    known, kind = (NUMBERED if numbered else WHOLE), path.suffix.lower()
    if kind not in known:
        hint = "; for one image per step, use a name such as step-{:02}.png" if kind == ".png" else ""
        what = "numbered frames" if numbered else "a walkthrough"
        raise ValueError(f"the path of {what} must end in one of {', '.join(known)}, not {path.name!r}{hint}")
    if numbered and _numbered(path, 0) in (None, _numbered(path, 1)):
        raise ValueError(f"the name of numbered frames must contain one field such as {{:02}}, not {path.name!r}")
    return numbered


def _numbered(path: Path, k: int) -> Path | None:
    """Return the name of the frame k, or None if the field of the name does not accept a number."""
    try:
        return path.with_name(path.name.format(k))
    except (ValueError, IndexError, KeyError, AttributeError, TypeError):
        return None


def names(path: Path, steps: int) -> list[Path]:
    """Return the files that stand for a path with a field for the number of the step.

    Args:
        path: Path that `check_name` accepts.
        steps: Number of steps.

    Returns:
        One path per position, from 0 to the number of steps. A path without a field stands for itself.
    """
    found = [_numbered(path, k) for k in range(steps + 1)] if check_name(path) else [path]
    return [name for name in found if name is not None]


def write(film: Film, path: Path, *, seconds: float) -> None:
    """Write an animation, one page per step, or one image per step.

    Args:
        film: Steps to write.
        path: File to write; a field such as {:02} in its name becomes the number of the step.
        seconds: Time per step of an animation.

    Raises:
        ModuleNotFoundError: If the format needs a package that is not installed.
        ValueError: If a .gif or .png file would be too large, or if it cannot represent `seconds`.
        OSError: If a file cannot be written.
    """
    kind = path.suffix.lower()
    if check_name(path):
        if kind == ".png":
            check_pixels(*_pixels(film))
        for k, name in enumerate(names(path, len(film.steps))):
            frame = film.frame(k)
            write_whole(name, XML + frame if kind == ".svg" else _png(frame, film.options))
    elif kind == ".svg":
        write_whole(path, XML + animated(film, seconds))
    else:
        write_whole(path, _gif(film, seconds) if kind == ".gif" else _pdf(film))


def _cairosvg(kind: str) -> Any:
    try:
        import cairosvg
    except (ImportError, OSError) as error:  # OSError: the library cairo is not installed
        reason = "" if isinstance(error, ImportError) else f" ({str(error).splitlines()[0]})"
        raise ModuleNotFoundError(
            f"a {kind} file needs the package cairosvg: {install_command('film')}, or save as .svg or .html{reason}"
        ) from None
    return cairosvg


def _scale(options: DrawOptions) -> float:
    """Return the pixels of an image per pixel of the drawing: 1 if the options determine a size."""
    return (options.dpi or (CSS if options.resizes else RESOLUTION)) / CSS


def _png(frame: str, options: DrawOptions) -> bytes:
    return bytes(_cairosvg(".png").svg2png(bytestring=with_all_glyphs(frame).encode(), scale=_scale(options)))


def _gif(film: Film, seconds: float) -> bytes:
    """Return an animated GIF, whose images share one palette, so that no color flickers."""
    try:
        from PIL import Image
    except ImportError:
        raise ModuleNotFoundError(f"a .gif file needs the package pillow: {install_command('film')}") from None
    if not SHORTEST <= seconds <= LONGEST:
        raise ValueError(f"seconds must be from {SHORTEST} to {LONGEST} for a .gif, not {seconds!r}")
    _cairosvg(".gif")
    _check_size(film)

    def image(k: int) -> Image.Image:
        with Image.open(io.BytesIO(_png(film.frame(k), film.options))) as found:
            return found.convert("RGB")

    # The start, the middle and the end have all tints.
    several = [image(k) for k in (0, len(film.positions) // 2, film.positions[-1])]
    width, height = several[0].size
    sample = Image.new("RGB", (width, 3 * height))
    for i, part in enumerate(several):
        sample.paste(part, (0, i * height))
    palette = sample.quantize(256, Image.Quantize.MAXCOVERAGE)
    first, *rest = (image(k).quantize(palette=palette, dither=Image.Dither.NONE) for k in film.positions)
    durations = [round(1000 * seconds)] * len(rest) + [round(1000 * seconds * HOLD)]
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=rest, duration=durations, loop=0, optimize=False)
    return out.getvalue()


def _pixels(film: Film) -> tuple[float, float]:
    """Return the width and the height of an image."""
    width, height = (float(film.root.get(side, "0")) * _scale(film.options) for side in ("width", "height"))
    return width, height


def _check_size(film: Film) -> None:
    """Refuse an animation that would fill the memory before it is made: all its images are there at once."""
    width, height = _pixels(film)
    number = len(film.positions)
    image = width * height
    if max(width, height) > LONGEST_SIDE or image > LARGEST_GIF_IMAGE or image * number > LARGEST_GIF:
        raise ValueError(
            f"a .gif of {number:,} images of {width:,.0f} × {height:,.0f} pixels is too large: "
            "choose a smaller width=, scale= or dpi=, or save as .svg"
        )


def _pdf(film: Film) -> bytes:
    """Return a PDF with one page per step."""
    _cairosvg(".pdf")
    from cairosvg.parser import Tree
    from cairosvg.surface import PDFSurface

    out = io.BytesIO()
    shared: list[Any] = []

    class Page(PDFSurface):  # type: ignore[misc]
        """A surface that draws on the next page of one file."""

        def _create_surface(self, width: float, height: float) -> tuple[Any, float, float]:
            if not shared:
                shared.append(self.surface_class(out, width, height))
            return shared[0], width, height

    for k in film.positions:
        page = Page(Tree(bytestring=with_all_glyphs(film.frame(k)).encode()), out, 96)
        page.cairo.show_page()
    shared[0].finish()
    return out.getvalue()
