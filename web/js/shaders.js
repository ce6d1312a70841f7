/**
 * The shaders: land, tracks, sprites (airports and aircraft) and labels.
 */
import { COLUMNS, GLYPH_COLUMNS } from "./atlas.js";

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

export const SOURCES = { land: LAND, screen: SCREEN, track: TRACK, sprites: SPRITES, text: TEXT };
