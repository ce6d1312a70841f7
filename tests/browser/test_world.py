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


GRID = """async () => {
  const { graticule } = await import('./js/draw.js');
  return [1, 5, 10, 30].map((step) => graticule(step).filter((y, i) => i % 4 === 1 && y === 0.5).length);
}"""


def test_the_equator_is_among_the_parallels(modules):
    """However far they are apart."""
    assert modules.evaluate(GRID) == [1, 1, 1, 1]
