"""Nothing lies over anything else: what is beside the map keeps its place, however tall the bar at the bottom is."""

from __future__ import annotations

import pytest

SIZES = {
    "desktop": {"width": 1024, "height": 640},
    "tablet": {"width": 800, "height": 1000},
    "phone": {"width": 320, "height": 568, "has_touch": True, "is_mobile": True},
}

OVERLAPS = """() => {
  const isSeen = (one) => one.checkVisibility({ visibilityProperty: true }) && one.getClientRects().length > 0;
  const name = (one) => one.id || one.getAttribute('aria-label') || one.textContent.trim() || one.tagName;
  const found = [];
  const cards = [...document.querySelectorAll('.card')].filter(isSeen).map((one) => [one, one.getBoundingClientRect()]);
  for (const [card, box] of cards) {
    if (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight)
      found.push(`${name(card)} is out of the page`);
    for (const [other, at] of cards)
      if (other !== card && box.left < at.right && at.left < box.right && box.top < at.bottom && at.top < box.bottom)
        found.push(`${name(card)} lies over ${name(other)}`);
  }
  for (const control of [...document.querySelectorAll('.card :is(button, input, select)')].filter(isSeen)) {
    const box = control.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const scrolled = control.closest('.scroll, #panel, #filters, #alerts')?.getBoundingClientRect();
    if (scrolled && (y < scrolled.top || y > scrolled.bottom || x > scrolled.right)) continue;
    const top = document.elementFromPoint(x, y);
    if (!top || !(control.contains(top) || top.contains(control)))
      found.push(`${name(control)} is covered by ${top ? name(top) : 'nothing'}`);
  }
  return found;
}"""


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_no_control_lies_over_another(request, site, open_page, size):
    """Before the first aircraft, with some, in the past, with a panel open, and when the server fails."""
    page = open_page(**size)
    page.wait("() => document.getElementById('trouble').textContent.startsWith('No aircraft yet')")
    seen = {"nothing yet": page.evaluate(OVERLAPS)}

    request.getfixturevalue("sky")
    page.shown(3)
    seen["running"] = page.evaluate(OVERLAPS)

    page.wait("() => !document.getElementById('slider').disabled")
    page.evaluate(
        "() => { const one = document.getElementById('slider'); one.value = one.min;"
        " one.dispatchEvent(new Event('change')); }"
    )
    page.wait("() => document.getElementById('clock').textContent.startsWith('Past')")
    seen["the past"] = page.evaluate(OVERLAPS)
    page.evaluate("document.getElementById('live').click()")
    page.shown(3)

    site.is_down = True
    page.look_again()
    page.wait("() => document.getElementById('trouble').textContent.startsWith('No answer')")
    seen["the server fails"] = page.evaluate(OVERLAPS)

    if page.evaluate("document.getElementById('side').classList.contains('closed')"):
        page.evaluate("document.getElementById('side-button').click()")
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")
    seen["the list"] = page.evaluate(OVERLAPS)
    page.evaluate("document.querySelector('tbody button').click()")
    page.wait("() => !document.getElementById('panel').hidden")
    seen["a panel"] = page.evaluate(OVERLAPS)
    assert {state: overlaps for state, overlaps in seen.items() if overlaps} == {}


PLACES = """() => ['panel', 'toasts', 'side'].map((id) =>
  document.getElementById(id).getBoundingClientRect().toJSON())"""


@pytest.mark.usefixtures("sky")
def test_notices_lie_between_panel_and_list(open_page):
    """Both can be read while there is one, on any desk."""
    page = open_page(width=1024, height=800)
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")
    page.evaluate("document.querySelector('tbody button').click()")
    page.wait("() => !document.getElementById('panel').hidden")
    for width in (1024, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        panel, notices, side = page.evaluate(PLACES)
        assert panel["right"] <= notices["left"], width
        assert notices["right"] <= side["left"], width
        assert notices["width"] >= 180, width
