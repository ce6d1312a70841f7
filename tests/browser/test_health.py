"""The figures of the strip: what is not known is no alarm."""

from __future__ import annotations

HEALTH = """async ({ isPaused }) => {
  const { watch } = await import('./js/status.js');
  const now = Date.now(), shard = { writtenAt: now - 90000, windowEnd: now + 30000 };
  let health;
  const live = { base: location.href, isPaused, troubles: new Map(), current: [shard], windowSeconds: 60,
    clock: { skew: 0, reading: () => ({ feed: now }) } };
  watch(live, (message) => { health = message; }).report();
  return [health.behind, (health.windowEnd - now) / 1000].map((seconds) => String(Math.round(seconds)));
}"""


def test_how_old_the_snapshot_is_stands_still_in_no_past(modules):
    """Nothing newer is asked for meanwhile: there is no such figure then, nor an end of the window."""
    assert modules.evaluate(HEALTH, {"isPaused": False}) == ["90", "30"]
    assert modules.evaluate(HEALTH, {"isPaused": True}) == ["NaN", "NaN"]
