"""What runs cost, and the tables of it."""

import dataclasses
import statistics

from support import report


@dataclasses.dataclass
class Cost:
    rate: float
    cpu_us: float
    p50_us: float
    p99_us: float
    resident_mb: float
    errors: int


def _median(costs: list[Cost]) -> Cost:
    fields = (field.name for field in dataclasses.fields(Cost))
    return Cost(*(statistics.median(getattr(cost, field) for cost in costs) for field in fields))


def medians(costs: dict[str, list[Cost]]) -> dict[str, Cost]:
    """Of the rounds, by contender."""
    return {name: _median(rounds) for name, rounds in costs.items()}


def _ratio(ours: list[Cost], theirs: list[Cost], field: str) -> str:
    """Of the medians, and between which the ratios of the single rounds lie."""
    mine, other = ([getattr(cost, field) for cost in costs] for costs in (ours, theirs))
    whole = statistics.median(mine) / statistics.median(other)
    if mine == other or len(mine) < 2:
        return f"{whole:.2f}"
    single = [a / b for a, b in zip(mine, other)]
    return f"{whole:.2f} ({min(single):.2f} to {max(single):.2f})"


def table(costs: dict[str, dict[str, list[Cost]]], ours: str) -> str:
    """Of every case, by contender."""
    header = ["", "requests/s", "CPU us/request", "p50 us", "p99 us", "RSS MB", "CPU, ours is", "rate, ours is"]
    parts = []
    for case, by_name in costs.items():
        rows = []
        for name, cost in medians(by_name).items():
            against = [_ratio(by_name[ours], by_name[name], field) for field in ("cpu_us", "rate")]
            failed = f" ({cost.errors:.0f} errors)" if cost.errors else ""
            rows.append([
                name + failed, f"{cost.rate:,.0f}", f"{cost.cpu_us:.1f}", f"{cost.p50_us:.0f}", f"{cost.p99_us:.0f}",
                f"{cost.resident_mb:.0f}", *against,
            ])  # fmt: skip
        parts.append(f"**{case}**\n\n{report.markdown(header, rows)}")
    return "\n".join(parts)
