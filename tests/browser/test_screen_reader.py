"""What a screen reader says: nothing while nothing happens, and the slider's time as people read it."""

from __future__ import annotations

import re

WATCH = """() => {
  const isSpoken = ({ target }) => (target.closest ? target : target.parentElement)
    ?.closest('output, [role=status], [role=log], [role=alert], [aria-live]');
  window.spoken = [];
  new MutationObserver((changes) => spoken.push(...changes.map(isSpoken).filter(Boolean).map((one) => one.id)))
    .observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def test_nothing_is_announced_while_nothing_happens(sky, open_page):
    """Seconds go by, aircraft move and the list follows: no live region changes."""
    page = open_page()
    page.shown(3)
    page.evaluate(WATCH)
    clock = page.inner_text("#clock")
    sky.fly("FFFFFF", callsign="NEW2")
    sky.write()
    page.look_again()
    page.wait("() => document.getElementById('in-view').textContent === '4 of 4'")
    page.wait("before => document.getElementById('clock').textContent !== before", clock)

    assert page.evaluate("spoken") == []


def test_a_key_on_the_slider_goes_one_window_back_and_says_when(sky, open_page):
    """From the present into the last window that has closed, and from there to the one before."""
    start = sky.rewind(5)
    for minute in range(5):
        sky.write(now=start + minute * 60_000 + 30_000)
    sky.write()
    page = open_page()
    page.wait("() => !document.getElementById('slider').disabled")
    assert page.get_attribute("#slider", "aria-valuetext") == "Live"
    page.evaluate("document.getElementById('speed').value = '1'")

    page.focus("#slider")
    page.keyboard.press("ArrowLeft")
    page.wait("() => document.getElementById('clock').textContent.startsWith('Past')")
    first = int(page.input_value("#slider"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:00 Z", page.get_attribute("#slider", "aria-valuetext"))

    page.keyboard.press("ArrowLeft")
    page.wait("first => Number(document.getElementById('slider').value) === first - 60000", first)
