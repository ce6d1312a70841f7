"""The controls: each does one thing, and what somebody has set stays until they change it."""

from __future__ import annotations

import threading

import pytest

AT = "location.hash.match(/at=([^&]*)/)[1]"
COUNT_TICKS = """window.ticks = 0; window.setInterval = ((every) => (run, wait, ...more) =>
  every(() => { run(); if (wait === 500) window.ticks++; }, wait, ...more))(window.setInterval)"""
HIDE = """window.orders = [];
Object.defineProperty(Document.prototype, 'hidden', { get: () => true });
Worker.prototype.postMessage = ((post) => function (message, ...more) {
  window.orders.push(message);
  return post.call(this, message, ...more);
})(Worker.prototype.postMessage)"""


@pytest.mark.usefixtures("sky")
def test_who_skips_to_the_list_keeps_what_the_address_says(open_page):
    """The focus goes there; filters, trails and the chosen aircraft stay, and Esc closes one thing at a time."""
    page = open_page("at=47,8,6.5&max=40000&aircraft=3C4AAA&trails=1")
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")
    page.click("#side-button")
    page.focus(".skip")
    page.keyboard.press("Enter")
    page.wait("() => !!document.activeElement.closest('tbody')")
    assert all(text in page.url for text in ("max=40000", "aircraft=3C4AAA", "trails=1"))

    page.fill("#query", "SWR")
    page.wait("() => !document.getElementById('results').hidden")
    page.keyboard.press("Escape")
    page.wait("() => document.getElementById('results').hidden")
    assert page.is_visible("#panel")
    page.keyboard.press("Escape")
    page.wait("() => document.getElementById('panel').hidden")


def test_a_search_has_a_whole_name_before_longer_ones(sky, open_page):
    """However many of those there are; the first key up chooses the last result."""
    for number in range(12):
        sky.fly(f"4000{number:02X}", callsign=f"BAW1{number}")
    sky.fly("4FFFFF", callsign="BAW1")
    sky.write()
    page = open_page()
    page.wait("() => document.querySelectorAll('tbody tr').length === 16")
    page.wait("() => document.querySelector('tbody').textContent.includes('BAW111')")

    page.fill("#query", "BAW1")
    page.wait("() => document.querySelector('#results li span')?.textContent === 'BAW1'")
    page.keyboard.press("ArrowUp")
    assert page.get_attribute("#results li:last-child", "aria-selected") == "true"


@pytest.mark.usefixtures("sky")
def test_only_the_first_button_moves_the_map_and_only_while_it_is_down(open_page):
    """Nor does a button that was let go where the page does not hear of it: a key moves it by its own step alone."""
    page = open_page("at=20,0,5&aircraft=3C4AAA")
    page.wait("() => location.hash.includes('at=20')")
    page.mouse.move(300, 300)
    page.mouse.down(button="right")
    page.mouse.move(380, 300)
    page.mouse.up(button="right")
    page.mouse.click(300, 300, button="right")
    page.mouse.down()
    page.evaluate("""() => { for (const clientX of [420, 460]) document.getElementById('canvas').dispatchEvent(
      new PointerEvent('pointermove', { pointerId: 1, pointerType: 'mouse', buttons: 0, clientX, clientY: 300 })); }""")

    page.locator("#canvas").press("ArrowRight")

    page.wait(f"() => {AT} === '20.000,5.273,5.00'")  # 120 pixels of 8,192
    assert page.is_visible("#panel"), "what is chosen stays, too"


def test_the_slider_stays_where_it_is_dragged_to_and_where_it_was_left(sky, open_page, monkeypatch):
    """The clock shows what is pointed at; a key and Pause go on from the time that is still to come."""
    start = sky.rewind(8)
    for minute in range(8):
        sky.write(now=start + minute * 60_000 + 30_000)
    sky.write()
    page = open_page(script=COUNT_TICKS)
    page.go_back(start + 5 * 60_000)

    def ticks():
        before = page.evaluate("ticks")
        page.wait("before => ticks > before", before)

    page.evaluate(
        """time => { const slider = document.getElementById('slider'); slider.value = time;
      slider.dispatchEvent(new Event('input')); }""",
        start + 60_000,
    )
    shown = page.inner_text("#clock")
    ticks()
    assert page.inner_text("#clock") == shown
    page.evaluate("document.getElementById('slider').dispatchEvent(new Event('pointerup'))")
    page.wait("() => document.getElementById('clock').textContent.startsWith('Past')")

    answer, is_there = sky.site.answer, threading.Event()

    def slow(path, headers):
        assert "/closed/" not in path or is_there.wait(60)
        return answer(path, headers)

    page.wait("time => document.getElementById('slider').value === String(time)", start + 5 * 60_000)
    monkeypatch.setattr(sky.site, "answer", slow)
    page.focus("#slider")
    for minute in (4, 3):
        page.keyboard.press("ArrowLeft")
        ticks()
        assert int(page.input_value("#slider")) == start + minute * 60_000
    page.click("#play")
    ticks()
    is_there.set()
    page.wait("() => document.getElementById('clock').textContent.startsWith('Past')")
    ticks()
    assert int(page.input_value("#slider")) == start + 3 * 60_000
    assert page.inner_text("#play") == "Play"


def test_a_page_that_is_opened_in_the_background_says_so(open_page):
    """It is not looked at, so it asks seldom from the beginning on."""
    page = open_page(script=HIDE)
    page.wait("() => orders.some(({ type, isHidden }) => type === 'hidden' && isHidden)")
