"""Markdown tables and SVG bar charts, without a plotting library."""

import pathlib


def markdown(header: list[str], rows: list[list[str]]) -> str:
    rule = ["---"] + ["--:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows]) + "\n"


def bar_chart(title: str, unit: str, groups: dict[str, dict[str, float]], path: pathlib.Path):
    """Horizontal bars: a group a heading, a bar an engine, lengths relative to the group's longest."""
    width, label, bar, row, gap = 760, 150, 470, 18, 14
    y, parts = 40, []
    for group, values in groups.items():
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{group}</text>')
        y += 8
        longest = max(values.values(), default=1) or 1
        for name, value in values.items():
            length = bar * value / longest
            colour = "#0b7285" if name == "llm_edge_cache" else "#adb5bd"
            parts.append(f'<text x="{label - 6}" y="{y + 13}" text-anchor="end">{name}</text>')
            parts.append(f'<rect x="{label}" y="{y}" width="{length:.1f}" height="{row - 3}" fill="{colour}"/>')
            parts.append(f'<text x="{label + length + 5:.1f}" y="{y + 13}">{value:,.1f} {unit}</text>')
            y += row
        y += gap + row
    body = "\n".join(parts)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="10" y="20" font-size="15">{title}</text>\n{body}\n</svg>\n'
    )
