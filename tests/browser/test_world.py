"""The map's whole world: land and regions across 180 degrees, its edges, and what is said of aircraft elsewhere."""

from __future__ import annotations

from tests.support.page_pixels import KEEP_PIXELS

MIDDLE = """() => { const canvas = document.getElementById('canvas'), gl = canvas.getContext('webgl2');
  const pixel = new Uint8Array(4);
  gl.readPixels(canvas.width / 2, canvas.height / 2, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  return pixel.join(); }"""
LAND = "245,240,226,255"
PANEL = "text => document.getElementById('panel').innerText.includes(text)"


def test_land_beyond_180_degrees_is_drawn(open_page):
    """The east of Chukotka lies on the map's other side, in the copy that begins there."""
    page = open_page("at=64.5,-173.5,8", script=KEEP_PIXELS)

    page.wait(f"land => ({MIDDLE})() === land", LAND)


def test_a_region_across_180_degrees_is_looked_at(sky, open_page):
    """As any other is that the aircraft are in."""
    sky.leave()
    for number, longitude in enumerate((179.5, -179.5)):
        sky.fly(f"ABCDE{number}", latitude=-18.0, longitude=longitude)
    sky.write()
    page = open_page("")

    page.wait("""() => { const [, longitude, zoom] = (/at=([^&]*)/.exec(location.hash)?.[1] ?? '').split(',');
      return Math.abs(longitude) > 178 && zoom > 6; }""")


BOXES = """async () => {
  const { Camera } = await import('./js/camera.js');
  const camera = new Camera(document.createElement('p'), () => {}, () => {});
  const found = [];
  for (let width = 400; width <= 2560; width++) {
    camera.resize(width, Math.min(width, 800));
    camera.zoomBy(-20);
    const [, west, , east] = camera.box();
    if (west !== -180 || east !== 180) found.push(width);
  }
  camera.resize(800, 800);
  camera.zoomBy(-20);
  return [found, camera.box()];
}"""


def test_a_view_of_the_world_is_all_of_it(modules):
    """Whatever the width, and up to the poles, which the map itself does not reach."""
    assert modules.evaluate(BOXES) == [[], [-90, -180, 90, 180]]


PLACE = """async () => {
  const { Camera } = await import('./js/camera.js');
  const camera = new Camera(document.createElement('p'), () => {}, () => {});
  camera.resize(800, 600);
  camera.isCalm = false;
  camera.goTo(0.2, 0.3, 6);
  camera.put({ x: 0.6, y: 0.4, zoom: 7 });
  camera.step(performance.now() + 1000);
  return [camera.x, camera.y, camera.zoom];
}"""


def test_a_link_ends_a_flight_of_the_map(modules):
    """It is on its way to somewhere else by then."""
    assert modules.evaluate(PLACE) == [0.6, 0.4, 7]


GRID = """async () => {
  const { graticule } = await import('./js/draw.js');
  return [1, 5, 10, 30].map((step) => graticule(step).filter((y, i) => i % 4 === 1 && y === 0.5).length);
}"""


def test_the_equator_is_among_the_parallels(modules):
    """However far they are apart."""
    assert modules.evaluate(GRID) == [1, 1, 1, 1]


def test_an_aircraft_is_said_to_be_gone_only_where_all_is_read(open_page, sky):
    """Before that the page waits for it, or looks elsewhere; a search says so, too."""
    page = open_page()
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")
    said = page.evaluate(
        "() => { document.querySelector('tbody button').click(); return document.getElementById('panel').innerText; }"
    )
    assert "Waiting" in said
    assert "Not heard of" not in said

    page.evaluate("location.hash = 'at=20,0,5&aircraft=FFFFFF'")
    page.wait(PANEL, "Not heard of in the region that is looked at")
    page.fill("#query", "NOBODY")
    page.wait("() => document.getElementById('results').textContent.includes('in the region that is looked at')")

    page.evaluate("location.hash = 'at=20,0,2&aircraft=FFFFFF'")
    page.wait(PANEL, "Not heard of at this time")

    sky.fly("AAAAAA", latitude=88.2, longitude=10.0, speed=0.0)
    sky.fly("BBBBBB", latitude=None, longitude=None)
    sky.write()
    page.look_again()
    page.evaluate("location.hash = 'at=47,8,3&aircraft=AAAAAA'")
    page.wait(PANEL, "88.2000° N 10.0000° E")
    page.evaluate("location.hash = 'at=47,8,3&aircraft=BBBBBB'")
    page.wait(PANEL, "No position")
    assert page.locator("#panel .alarm").count() == 0


FLEET = """async () => {
  const [{ Fleet }, { labels }, { search, sorter }] = await Promise.all(
    ['fleet', 'picture', 'search'].map((name) => import(`./js/${name}.js`)));
  const now = 1800000000000, ages = [24, 26, 0];
  const numbers = { measured: now, longitude: 8, latitude: 47, ahead: 0, delay: 0, flags: 0,
    speed: 0, heading: 90, altitude: 36000, verticalRate: 0 };
  const columns = Object.entries(numbers).map(([name, number]) => [name, ages.map(() => number)]);
  const fleet = new Fleet();
  const age = ages.map((seconds) => 1000 * seconds);
  fleet.add({ count: 3, address: ['A', 'B', 'C'], ...Object.fromEntries(columns), age }, now);
  fleet.identity[0] = { aircraft_type_icao: 'A320', departure_airport_icao: 'EDDF' };
  fleet.identity[2] = { aircraft_type_icao: 'B738', departure_airport_icao: 'LSZH' };
  const view = { labels: true, zoom: 8, x: 0.522, y: 0.35, width: 800, height: 600, box: [0, 0, 0, 0] };
  const said = [0, 1].map((place) => {
    const { glyphs } = labels(fleet, [place], view, now, now, null, null);
    return Array.from({ length: glyphs.length / 9 }, (_, i) => String.fromCharCode(32 + glyphs[9 * i + 7])).join('');
  });
  const orders = ['type', 'route'].flatMap((key) => [true, false].map((descending) =>
    [2, 1, 0].sort(sorter(fleet, { key, descending })).map((place) => fleet.address[place]).join('')));
  return { said, orders };
}"""


def test_a_label_says_how_old_a_position_is_and_blanks_are_last(modules):
    """From 25 seconds on, as it fades; what has no type or route comes after what has, in both directions."""
    found = modules.evaluate(FLEET)

    assert found == {"said": ["A3600", "B26sago"], "orders": ["CAB", "ACB", "CAB", "ACB"]}
