"""The keyboard's focus: nothing that goes or is renewed takes it away, and Enter chooses what was typed."""

from __future__ import annotations

import pytest

TEXT = "selector => document.querySelector(selector)?.textContent ?? ''"
FOCUSED = "document.activeElement"

HOLD_NOTICES = """window.due = []; window.setTimeout = ((later) => (run, wait, ...more) =>
  wait === 12000 ? due.push(run) : later(run, wait, ...more))(window.setTimeout)"""


def emergency(sky, page, name):
    """Have an aircraft declare one, and wait for its notice."""
    sky.fly(f"{len(sky.aircraft):06X}", callsign=name, squawk="7700", latitude=46.0)
    sky.write()
    page.look_again()
    page.wait("name => document.getElementById('toasts').textContent.includes(name)", name)


@pytest.fixture
def page(sky, open_page):
    """A page that has asked for alerts: there are none, since nobody has written any."""
    page = open_page(script=HOLD_NOTICES)
    page.shown(3)
    page.until(lambda: ("/live/alerts.json", 404) in sky.site.requests)
    return page


def test_the_first_alert_of_all_is_announced(sky, page):
    """Before it there is no list of alerts at all."""
    emergency(sky, page, "FIRST1")
    page.wait(f"() => ({TEXT})('#alerts li').includes('FIRST1')")
    assert page.inner_text("#alert-count") == "1"


def test_a_notice_that_is_chosen_gives_the_focus_to_the_panel(sky, page):
    """It goes, and what it led to is there."""
    emergency(sky, page, "FIRST1")
    page.focus("#toasts button")
    page.keyboard.press("Enter")

    page.wait(f"() => {FOCUSED}.id === 'panel'")


def test_a_notice_stays_while_it_has_the_focus(sky, page):
    """Its time goes on when the focus has gone."""
    emergency(sky, page, "FIRST1")
    page.focus("#toasts button")
    end = "due.splice(0).forEach((run) => run())"
    page.evaluate(end)
    assert page.evaluate(f"{FOCUSED}.parentElement.id") == "toasts"

    page.focus("#canvas")
    page.evaluate(end)
    assert page.locator("#toasts button").count() == 0


def test_an_alert_in_the_list_keeps_the_focus_when_another_comes(sky, page):
    """The lines that stay are not touched."""
    emergency(sky, page, "FIRST1")
    page.focus("#alerts li button")
    emergency(sky, page, "SECOND1")
    page.wait(f"() => ({TEXT})('#alerts li').includes('SECOND1')")

    assert "FIRST1" in page.evaluate(f"{FOCUSED}.closest('#alerts li')?.textContent ?? 'nothing'")


def test_a_panel_that_is_closed_gives_the_focus_to_the_map(page):
    """By its cross as by Esc."""
    page.click("tbody button:text('SWR22')")
    page.wait(f"() => {FOCUSED}.id === 'panel'")
    page.click("#panel .close")

    page.wait(f"() => {FOCUSED}.id === 'canvas' && document.getElementById('panel').hidden")


def test_enter_chooses_by_what_is_typed_by_then(page):
    """The results of an earlier text are still there when the key is pressed: those of the new one are waited for."""
    page.fill("#query", "DLH")
    page.wait(f"() => ({TEXT})('#results li').includes('DLH401')")
    page.evaluate("""() => {
      const input = document.getElementById('query');
      input.value = 'SWR';
      input.dispatchEvent(new Event('input'));
      input.form.requestSubmit();
    }""")

    page.wait(f"() => ({TEXT})('#panel h2') === 'SWR22'")


def test_a_row_of_the_list_keeps_its_aircraft_and_the_focus(sky, page):
    """Whatever order the others come in; the list has the focus when the row has gone."""
    page.focus("tbody button:text('SWR22')")
    sky.fly("4B1BBB", callsign="SWR22", latitude=46.5, longitude=9.0, altitude_baro=40_000.0)
    sky.fly("400CCC", callsign="BAW7", latitude=47.5, longitude=7.0, altitude_baro=1_000.0)
    sky.write()
    page.look_again()
    page.wait(
        "() => [...document.querySelectorAll('tbody button')].map((b) => b.textContent).join() === 'SWR22,DLH401,BAW7'"
    )
    assert page.evaluate(f"{FOCUSED}.textContent") == "SWR22"

    page.evaluate("location.hash = 'at=47,8,6.5&callsign=DLH'")
    page.wait("() => document.querySelectorAll('tbody tr').length === 1")
    assert page.evaluate(f"{FOCUSED}.className") == "scroll"
