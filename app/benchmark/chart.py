"""A chart of the report as SVG, which follows whether its reader has it light or dark."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from app.benchmark.figures import Figure
from app.benchmark.goals import BARE, ONE
from app.benchmark.peers.bare_driver import NAME as DRIVER
from app.benchmark.report import Report

#: The jobs that are shown, where they are measured.
SHOWN = (
    "one record",
    "list of 50, filtered and sorted",
    "list of 50 with parties and organizations",
    "POST, 16 writers",
    "import from CSV",
)
WIDTH, LEFT, RIGHT, BAR, GAP, HEAD = 760, 190, 110, 16, 4, 34
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .job { font-weight: 600; }
  .ours { fill: #0b6e4f; } .peer { fill: #8c959f; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .ours { fill: #3fb68b; } .peer { fill: #6e7681; }
  }
"""


def as_svg(report: Report) -> str:
    """Bars for each job, the longest as long as there is room; figures beside them. No floors."""
    lines, y = [], 8
    for job in SHOWN:
        figures = [one for one in report.figures if one.job == job and _is_shown(one)]
        if not figures:
            continue
        lines.append(f'<text class="job" x="0" y="{y + 16}">{escape(job)}</text>')
        y += HEAD - 8
        lines += _bars(figures, y)
        y += len(figures) * (BAR + GAP) + 14
    title = f"{report.data}; {report.options}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}"'
        f' viewBox="0 0 {WIDTH} {y}" role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n" + "\n".join(lines) + "\n</svg>\n"
    )


def _is_shown(figure: Figure) -> bool:
    return figure.value is not None and figure.contestant not in (BARE, DRIVER)


def _bars(figures: list[Figure], y: int) -> Iterator[str]:
    longest = max(figure.value or 0 for figure in figures)
    for at, figure in enumerate(sorted(figures, key=lambda one: -(one.value or 0))):
        value = figure.value or 0
        top = y + at * (BAR + GAP)
        width = max(1, round((WIDTH - LEFT - RIGHT) * value / longest))
        kind = "ours" if figure.contestant.startswith(ONE) else "peer"
        baseline = top + BAR - 4
        yield (
            f'<text x="{LEFT - 8}" y="{baseline}" text-anchor="end">'
            f"{escape(figure.contestant)}</text>"
            f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{width}" height="{BAR}" rx="2"/>'
            f'<text x="{LEFT + width + 6}" y="{baseline}">{value:,.0f} {figure.unit}</text>'
        )
