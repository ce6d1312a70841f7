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


FIGURE = """async (left) => {
  const { Health } = await import('./js/health.js');
  document.body.innerHTML = '<ul id="health"></ul><p id="trouble"></p>';
  const health = { status: null, shards: 1, aircraft: 1, behind: 1, isRecording: false, troubles: [] };
  new Health().show({ ...health, windowEnd: 1e12 + left * 1000, feed: { feed: 1e12 } });
  return [...document.querySelectorAll('#health li')].find((item) => item.textContent.startsWith('Window')).textContent;
}"""


def test_a_window_whose_time_is_over_ends_now(modules):
    """Until what it closed with is there, which takes some seconds: it does not end in 0 s over and over."""
    assert modules.evaluate(FIGURE, 12) == "Window ends in 12 s"
    assert modules.evaluate(FIGURE, -3) == "Window ends now"
