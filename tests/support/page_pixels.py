"""What is drawn on the map, as a test in a browser sees it: its pixels."""

KEEP_PIXELS = """HTMLCanvasElement.prototype.getContext = ((get) => function (kind, options) {
  return get.call(this, kind, { ...options, preserveDrawingBuffer: true });
})(HTMLCanvasElement.prototype.getContext)"""
"""A page's first script, without which a drawn picture cannot be read."""

COLOURS = """() => { const canvas = document.getElementById('canvas'), gl = canvas.getContext('webgl2');
  const data = new Uint8Array(60 * 40 * 4);
  gl.readPixels(canvas.width / 2 - 30, canvas.height / 2 - 20, 60, 40, gl.RGBA, gl.UNSIGNED_BYTE, data);
  return new Set(new Uint32Array(data.buffer)).size; }"""
"""How many colours the middle of the map has: more than twenty if an aircraft is there."""
