/**
 * Draws the map by WebGL2: land, borders, graticule, tracks, airports, aircraft and labels.
 *
 * Aircraft and labels are carried forward by the vertex shader; the page's own thread only says what time it is.
 * @module
 */
import { COLUMNS, GLYPH_COLUMNS, glyphs, shapes } from "./atlas.js";
import { toX, toY } from "./geo.js";
import { GLYPH_STRIDE, STRIDE, TRACK_STRIDE } from "./picture.js";

const COMMON = `#version 300 es
precision highp float;
uniform vec2 u_high, u_low, u_pixels; // the centre in two parts, and how many pixels the world is wide, by half a screen
uniform float u_wrap;
vec2 place(vec2 p) { // to the screen's middle first: small numbers are exact
  vec2 d = (p - u_high) - u_low;
  d.x += u_wrap > 1.5 ? -round(d.x) : u_wrap;
  return d * u_pixels * vec2(1, -1);
}`;
const CARRIED = `
uniform float u_now;
uniform vec2 u_screen;
uniform vec3 u_ramp[9], u_colours[7];
vec3 ramp(float feet) {
  float at = clamp(feet / 5000.0, 0.0, 7.999);
  int i = int(at);
  return mix(u_ramp[i], u_ramp[i + 1], fract(at));
}
float faded(float age) { return age < 25.0 ? 1.0 : mix(1.0, 0.4, clamp((age - 25.0) / 35.0, 0.0, 1.0)); }`;

const LAND = [`${COMMON} in vec2 a_at; void main() { gl_Position = vec4(place(a_at), 0, 1); }`,
  `#version 300 es
precision highp float; uniform vec4 u_colour; out vec4 o; void main() { o = u_colour; }`];

const SCREEN = [`#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0, 0, 1); }`, LAND[1]];

const TRACK = [`${COMMON}${CARRIED}
in vec4 a_ends; in vec2 a_look; out vec4 v_colour;
uniform float u_width;
void main() {
  vec2 from = place(a_ends.xy), to = place(a_ends.zw);
  if (abs(from.x - to.x) > u_pixels.x * 0.5) to = from;
  vec2 along = (to - from) * u_screen, across = normalize(vec2(-along.y, along.x) + 1e-6) / u_screen * u_width;
  vec2 p = mix(from, to, float(gl_VertexID & 1)) + across * (float(gl_VertexID >> 1) - 0.5);
  v_colour = vec4(ramp(a_look.x), a_look.y * 0.8);
  gl_Position = vec4(p, 0, 1);
}`, `#version 300 es
precision highp float; in vec4 v_colour; out vec4 o; void main() { o = vec4(v_colour.rgb * v_colour.a, v_colour.a); }`];

const SPRITES = [`${COMMON}${CARRIED}
in vec2 a_at, a_by; in vec4 a_more; // seconds, heading, altitude, look
uniform float u_size;
out vec2 v_uv; out vec4 v_colour;
void main() {
  float age = max(0.0, u_now - a_more.x);
  bool isStill = a_more.w >= 32.0;
  vec2 p = place(a_at + a_by * (isStill ? 0.0 : clamp(u_now - a_more.x, 0.0, 60.0)));
  int look = int(a_more.w), shape = look & 7, way = look >> 3;
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  float size = u_size * (shape == 1 ? 1.2 : shape == 2 ? 0.8 : shape == 5 ? 2.1 + 0.25 * sin(u_now * 5.0) : shape == 6 ? 0.85 : 1.0);
  if (way == 1) size *= 0.75;
  if (way == 2 && shape != 5) size *= 1.25;
  float c = cos(a_more.y), s = sin(a_more.y);
  vec2 turned = vec2(corner.x * c + corner.y * s, -corner.x * s + corner.y * c);
  gl_Position = vec4(p + turned * size / u_screen, 0, 1);
  v_uv = (vec2(float(shape), 0) + vec2(corner.x, -corner.y) * 0.5 + 0.5) / vec2(${COLUMNS}.0, 1.0);
  v_colour = vec4(way == 0 ? ramp(a_more.z) : u_colours[way], isStill ? 0.9 : faded(age));
}`, `#version 300 es
precision highp float;
uniform sampler2D u_atlas; uniform vec3 u_halo;
in vec2 v_uv; in vec4 v_colour; out vec4 o;
void main() {
  vec2 t = texture(u_atlas, v_uv).rg;
  float a = max(t.r, t.g * 0.85) * v_colour.a;
  o = vec4(mix(u_halo, v_colour.rgb, t.r) * a, a);
}`];

const TEXT = [`${COMMON}${CARRIED}
in vec2 a_at, a_by; in vec2 a_time; in vec2 a_down; in float a_look; // seconds and pixels right, pixels down and character
out vec2 v_uv; out vec4 v_colour;
uniform float u_ratio;
void main() {
  float seconds = a_by == vec2(0) ? 0.0 : clamp(u_now - a_time.x, 0.0, 60.0);
  vec2 p = place(a_at + a_by * seconds);
  // To whole pixels, so that letters stay sharp.
  vec2 pixel = floor((p + 1.0) * u_screen * 0.5 + vec2(a_time.y, -a_down.x) * u_ratio + 0.5);
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  pixel += (corner - 0.5) * 16.0 * u_ratio;
  gl_Position = vec4(pixel / u_screen * 2.0 - 1.0, 0, 1);
  float code = a_down.y - 1.0;
  v_uv = (vec2(mod(code, ${GLYPH_COLUMNS}.0), floor(code / ${GLYPH_COLUMNS}.0)) + vec2(corner.x, 1.0 - corner.y)) / vec2(${GLYPH_COLUMNS}.0, 6.0);
  int way = int(a_look) >> 3;
  v_colour = vec4(u_colours[way], way == 4 ? 0.85 : faded(max(0.0, u_now - a_time.x)));
}`, SPRITES[1]];

const SOURCES = { land: LAND, screen: SCREEN, track: TRACK, sprites: SPRITES, text: TEXT };

/**
 * @typedef {object} Theme colours from 0 to 1
 * @property {number[]} water
 * @property {number[]} land
 * @property {number[]} coast
 * @property {number[]} border
 * @property {number[]} grid
 * @property {number[]} halo
 * @property {number[][]} ramp for every 5,000 feet
 * @property {number[][]} ways altitude (unused), ground, emergency, selected, airport, text, quiet
 */

/** @typedef {{x: number, y: number, zoom: number, width: number, height: number}} Camera */

export class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @throws {Error} there is no WebGL2
   */
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: true, stencil: true, alpha: true, powerPreference: "low-power" });
    if (!gl) throw new Error("no WebGL2");
    this.canvas = canvas;
    this.gl = gl;
    /** @type {Theme | null} */
    this.theme = null;
    this.hasBasemap = false;
    /** @type {Partial<Record<keyof typeof SOURCES, Program>>} made when they are first needed, one in a drawing */
    this.programs = {};
    this.mayMake = true;
    this.isComplete = true;
    /** @type {WebGLTexture | null} */
    this.shapes = null;
    /** @type {WebGLTexture | null} */
    this.glyphs = null;
    this.nothing = gl.createVertexArray();
    const sprite = [["a_at", 2, 0], ["a_by", 2, 8], ["a_more", 4, 16]];
    this.layers = {
      tracks: this.#layer("track", TRACK_STRIDE, [["a_ends", 4, 0], ["a_look", 2, 16]]),
      airports: this.#layer("sprites", STRIDE, sprite),
      aircraft: this.#layer("sprites", STRIDE, sprite),
      text: this.#layer("text", GLYPH_STRIDE, [["a_at", 2, 0], ["a_by", 2, 8], ["a_time", 2, 16], ["a_down", 2, 24], ["a_look", 1, 32]]),
    };
    /** @type {{coasts: Plain, borders: Plain, fill: Plain, grid: Plain} | null} */
    this.world = null;
    this.gridStep = 0;
  }

  /** @param {{corners: Float32Array, triangles: Uint32Array, coasts: Float32Array, borders: Float32Array}} world */
  setWorld(world) {
    this.world = {
      coasts: this.#plain(world.coasts),
      borders: this.#plain(world.borders),
      fill: this.#plain(world.corners, world.triangles),
      grid: this.#plain(new Float32Array(0)),
    };
    this.gridStep = 0;
  }

  /** @param {"tracks" | "airports" | "aircraft" | "text"} name @param {Float32Array} data */
  set(name, data) {
    const layer = this.layers[name];
    const { gl } = this;
    layer.count = data.length / layer.stride;
    gl.bindBuffer(gl.ARRAY_BUFFER, layer.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
  }

  /**
   * @param {Camera} camera
   * @param {number} now seconds after the aircraft's origin
   * @param {number} ratio device pixels in a CSS pixel
   * @returns {boolean} whether all of it was drawn: if not, a program is still to be made, with the next drawing
   */
  draw(camera, now, ratio) {
    const { gl, theme } = this;
    if (!theme) return true;
    this.mayMake = this.isComplete = true;
    this.#ready("sprites"); // aircraft wait for nothing else
    const width = Math.round(camera.width * ratio);
    const height = Math.round(camera.height * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    gl.viewport(0, 0, width, height);
    const [red, green, blue] = theme.water;
    if (this.hasBasemap) gl.clearColor(0, 0, 0, 0);
    else gl.clearColor(red, green, blue, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const scale = 256 * 2 ** camera.zoom;
    const high = [Math.fround(camera.x), Math.fround(camera.y)];
    const view = {
      u_high: high,
      u_low: [camera.x - high[0], camera.y - high[1]],
      u_pixels: [(scale * 2) / camera.width, (scale * 2) / camera.height],
    };
    if (this.world && !this.hasBasemap) this.#drawWorld(this.world, camera, view);
    const carried = { ...view, u_wrap: 2, u_now: now, u_screen: [width, height], u_ramp: theme.ramp.flat(), u_colours: theme.ways.flat(), u_halo: theme.halo };
    this.#drawLayer("tracks", { ...carried, u_width: 3.2 * ratio });
    const size = Math.max(9, Math.min(17, 4.4 + camera.zoom * 1.5)) * ratio;
    gl.bindTexture(gl.TEXTURE_2D, (this.shapes ??= this.#texture(shapes())));
    this.#drawLayer("airports", { ...carried, u_size: Math.max(9 * ratio, size) });
    this.#drawLayer("aircraft", { ...carried, u_size: size });
    if (this.layers.text.count && this.#ready("text")) {
      gl.bindTexture(gl.TEXTURE_2D, (this.glyphs ??= this.#texture(glyphs())));
      this.#drawLayer("text", { ...carried, u_ratio: ratio });
    }
    return this.isComplete;
  }

  /**
   * @param {NonNullable<Painter["world"]>} world
   * @param {Camera} camera
   * @param {Record<string, number[]>} view
   */
  #drawWorld(world, camera, view) {
    const { gl } = this;
    const theme = /** @type {Theme} */ (this.theme);
    const land = this.#ready("land");
    const screen = this.#ready("screen");
    if (!land || !screen) return;
    const step = camera.zoom < 3.2 ? 30 : camera.zoom < 5 ? 10 : camera.zoom < 7.5 ? 5 : 1;
    if (step !== this.gridStep) {
      world.grid = this.#plain(graticule(step), undefined, world.grid);
      this.gridStep = step;
    }
    const half = camera.width / 2 / (256 * 2 ** camera.zoom);
    const copies = [-1, 0, 1].filter((copy) => camera.x - half < 1 + copy && camera.x + half > copy).map((copy) => copy);
    const draw = (/** @type {Plain} */ shape, /** @type {number} */ mode, /** @type {number[]} */ colour) => {
      gl.bindVertexArray(shape.vertices);
      for (const copy of copies) {
        this.#use(land, { ...view, u_wrap: copy, u_colour: colour });
        if (shape.isIndexed) gl.drawElements(mode, shape.count, gl.UNSIGNED_INT, 0);
        else gl.drawArrays(mode, 0, shape.count);
      }
    };
    // What is in an odd number of triangles is land.
    gl.enable(gl.STENCIL_TEST);
    gl.colorMask(false, false, false, false);
    gl.stencilFunc(gl.ALWAYS, 0, 1);
    gl.stencilOp(gl.INVERT, gl.INVERT, gl.INVERT);
    draw(world.fill, gl.TRIANGLES, [0, 0, 0, 1]);
    gl.colorMask(true, true, true, true);
    gl.stencilFunc(gl.EQUAL, 1, 1);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.KEEP);
    gl.bindVertexArray(this.nothing);
    this.#use(screen, { u_colour: [...theme.land, 1] });
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.disable(gl.STENCIL_TEST);
    draw(world.grid, gl.LINES, [...theme.grid, 1]);
    if (camera.zoom > 2.6) draw(world.borders, gl.LINES, [...theme.border, 1]);
    draw(world.coasts, gl.LINES, [...theme.coast, 1]);
  }

  /** @param {keyof Painter["layers"]} name @param {Record<string, number | number[]>} uniforms */
  #drawLayer(name, uniforms) {
    const layer = this.layers[name];
    const program = layer.count ? this.#ready(layer.program) : null;
    if (!program) return;
    this.#use(program, uniforms);
    this.gl.bindVertexArray((layer.vertices ??= this.#vertices(layer, program)));
    this.gl.drawArraysInstanced(this.gl.TRIANGLE_STRIP, 0, 4, layer.count);
  }

  /** @param {Program} program @param {Record<string, number | number[]>} uniforms */
  #use(program, uniforms) {
    const { gl } = this;
    gl.useProgram(program.program);
    for (const [name, value] of Object.entries(uniforms)) {
      const at = program.uniforms[name];
      if (!at) continue;
      if (typeof value === "number") gl.uniform1f(at, value);
      else if (name === "u_ramp" || name === "u_colours" || value.length === 3) gl.uniform3fv(at, value);
      else if (value.length === 2) gl.uniform2fv(at, value);
      else gl.uniform4fv(at, value);
    }
  }

  /** @typedef {{program: WebGLProgram, uniforms: Record<string, WebGLUniformLocation | null>}} Program */

  /** @param {keyof typeof SOURCES} name @returns {Program | null} none if another one was made in this drawing */
  #ready(name) {
    const made = this.programs[name];
    if (made) return made;
    if (!this.mayMake) {
      this.isComplete = false;
      return null;
    }
    this.mayMake = false;
    return (this.programs[name] = this.#program(SOURCES[name]));
  }

  /** @param {string[]} sources vertex and fragment shader @returns {Program} */
  #program(sources) {
    const { gl } = this;
    const program = gl.createProgram();
    [gl.VERTEX_SHADER, gl.FRAGMENT_SHADER].forEach((kind, i) => {
      const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
      gl.shaderSource(shader, sources[i]);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost())
        throw new Error(`shader: ${gl.getShaderInfoLog(shader)}`);
      gl.attachShader(program, shader);
    });
    gl.bindAttribLocation(program, 0, "a_at");
    gl.linkProgram(program);
    /** @type {Program["uniforms"]} */
    const uniforms = {};
    const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
    for (let i = 0; i < count; i++) {
      const name = /** @type {WebGLActiveInfo} */ (gl.getActiveUniform(program, i)).name.replace("[0]", "");
      uniforms[name] = gl.getUniformLocation(program, name);
    }
    return { program, uniforms };
  }

  /**
   * @param {keyof typeof SOURCES} program
   * @param {number} stride
   * @param {(string | number)[][]} attributes name, how many numbers, bytes before them
   */
  #layer(program, stride, attributes) {
    return { program, stride, attributes, buffer: this.gl.createBuffer(), vertices: /** @type {WebGLVertexArrayObject | null} */ (null), count: 0 };
  }

  /** @param {Painter["layers"]["text"]} layer @param {Program} program */
  #vertices({ stride, attributes, buffer }, program) {
    const { gl } = this;
    const vertices = gl.createVertexArray();
    gl.bindVertexArray(vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    for (const [name, size, offset] of attributes) {
      const at = gl.getAttribLocation(program.program, String(name));
      if (at < 0) continue;
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, Number(size), gl.FLOAT, false, stride * 4, Number(offset));
      gl.vertexAttribDivisor(at, 1);
    }
    return vertices;
  }

  /** @typedef {{vertices: WebGLVertexArrayObject, buffer: WebGLBuffer, count: number, isIndexed: boolean}} Plain */

  /**
   * @param {Float32Array} points
   * @param {Uint32Array} [indices]
   * @param {Plain} [old] whose buffer is used again
   * @returns {Plain}
   */
  #plain(points, indices, old) {
    const { gl } = this;
    const vertices = old?.vertices ?? gl.createVertexArray();
    const buffer = old?.buffer ?? gl.createBuffer();
    gl.bindVertexArray(vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, points, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    if (indices) {
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
    }
    return { vertices, buffer, count: indices ? indices.length : points.length / 2, isIndexed: !!indices };
  }

  /** @param {HTMLCanvasElement} picture */
  #texture(picture) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    return texture;
  }
}

/** @param {number} step degrees @returns {Float32Array} meridians and parallels */
function graticule(step) {
  const points = [];
  for (let longitude = -180; longitude < 180; longitude += step) points.push(toX(longitude), 0, toX(longitude), 1);
  for (let latitude = -80; latitude <= 80; latitude += step) points.push(0, toY(latitude), 1, toY(latitude));
  return Float32Array.from(points);
}

