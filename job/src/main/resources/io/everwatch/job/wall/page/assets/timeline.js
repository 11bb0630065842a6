// SPDX-License-Identifier: Apache-2.0
// The last minutes of a stream: frames, and under them a lane with what was said, silence, gaps and restarts.
import { h, setText } from './dom.js';
import { clockOf, minuteOf } from './format.js';
import { loadImage } from './frames.js';
import { lineOf, restartedBetween, toneOf } from './words.js';

const SECOND = 1_000_000;
const LANE_HEIGHT = 40;
const THUMB_STEPS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 90, 120, 150, 200, 300].map((seconds) => seconds * SECOND);
const STEPS = [10, 30, 60, 120, 300, 600].map((seconds) => seconds * SECOND);

export class Timeline {
  #seek;
  #frameUrl;
  #strip = h('div', { class: 'strip', 'aria-hidden': 'true' });
  #lane = h('canvas', { class: 'lane', 'aria-hidden': 'true' });
  #axis = h('div', { class: 'axis', 'aria-hidden': 'true' });
  #head = h('div', { class: 'playhead', 'aria-hidden': 'true' });
  #peek = h('p', { class: 'peek', 'aria-hidden': 'true' });
  #range;
  #body;
  #thumbs = new Map();
  #state = null;
  #observer = new ResizeObserver(() => this.#draw());
  #redraw = () => this.#draw();

  /**
   * @param seek called with a moment in microseconds
   * @param frameUrl address of the small frame of a moment
   */
  constructor(seek, frameUrl) {
    this.#seek = seek;
    this.#frameUrl = frameUrl;
    this.#range = h('input', { type: 'range', class: 'scrub', 'aria-label': 'Moment', step: 1, min: 0, max: 1, on: { input: () => this.#scrub() } });
    this.#body = h('div', { class: 'timeline-body', on: { pointermove: (event) => this.#hover(event), pointerleave: () => this.#peek.classList.remove('shown') } },
        this.#strip, this.#lane, this.#head, this.#range, this.#peek);
    this.node = h('div', { class: 'timeline' }, this.#body, this.#axis);
    this.#observer.observe(this.node);
    window.addEventListener('everwatch-theme', this.#redraw);
  }

  close() {
    this.#observer.disconnect();
    window.removeEventListener('everwatch-theme', this.#redraw);
  }

  /** @param state `{texts, from, to, position, live, aspect}`, times in microseconds */
  show(state) {
    this.#state = state;
    this.#range.min = Math.floor(state.from / SECOND);
    this.#range.max = Math.ceil(state.to / SECOND);
    this.#range.value = Math.floor(state.position / SECOND);
    const at = this.#textAt(state.position);
    this.#range.setAttribute('aria-valuetext', `${clockOf(state.position / 1000)}${at ? `: ${lineOf(at)}` : ''}`);
    this.#draw();
  }

  focus() {
    this.#range.focus();
  }

  #scrub() {
    this.#seek(Number(this.#range.value) * SECOND + SECOND / 2);
  }

  #textAt(micros) {
    return this.#state.texts.find((text) => text.startMicros <= micros && micros < text.endMicros);
  }

  #hover(event) {
    if (!this.#state) return;
    const box = this.#body.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const micros = this.#state.from + share * (this.#state.to - this.#state.from);
    const text = this.#textAt(micros);
    setText(this.#peek, `${clockOf(micros / 1000)}  ${text ? lineOf(text) : 'no text'}`);
    this.#peek.classList.add('shown');
    const half = this.#peek.offsetWidth / 2;
    this.#peek.style.left = `${Math.max(half, Math.min(box.width - half, event.clientX - box.left))}px`;
  }

  #draw() {
    if (!this.#state || this.#body.clientWidth === 0) return;
    const { from, to, position } = this.#state;
    const width = this.#body.clientWidth;
    const x = (micros) => ((micros - from) / (to - from)) * width;
    this.#drawLane(width, x);
    this.#drawAxis(width, x);
    this.#drawStrip(width, x);
    this.#head.style.transform = `translateX(${Math.round(x(position))}px)`;
  }

  #drawLane(width, x) {
    const scale = window.devicePixelRatio || 1;
    const canvas = this.#lane;
    if (canvas.width !== Math.round(width * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(LANE_HEIGHT * scale);
    }
    const style = getComputedStyle(this.node);
    const colour = (name) => style.getPropertyValue(name);
    const pen = canvas.getContext('2d');
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, LANE_HEIGHT);
    const tones = { said: colour('--accent'), quiet: colour('--line-strong'), gap: colour('--amber'), trouble: colour('--red'), note: colour('--ink-2') };
    let before = null;
    for (const text of this.#state.texts) {
      const left = x(text.startMicros);
      const right = Math.max(left + 1, x(text.endMicros) - (x(text.endMicros) - left > 4 ? 1 : 0));
      const tone = toneOf(text);
      pen.fillStyle = tones[tone];
      if (tone === 'quiet') pen.fillRect(left, LANE_HEIGHT / 2 - 1, right - left, 2);
      else if (tone === 'gap') hatch(pen, left, 10, right - left, LANE_HEIGHT - 20);
      else pen.fillRect(left, tone === 'note' ? 14 : 6, right - left, tone === 'note' ? LANE_HEIGHT - 28 : LANE_HEIGHT - 12);
      if (restartedBetween(before, text)) restart(pen, left, colour('--red'));
      before = text;
    }
  }

  #drawAxis(width, x) {
    const { from, to } = this.#state;
    const step = STEPS.find((candidate) => x(from + candidate) > 84) ?? STEPS.at(-1);
    const labels = [];
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      if (x(at) < 24 || x(at) > width - 24) continue;
      const label = h('span', {}, step < 60 * SECOND ? clockOf(at / 1000) : minuteOf(at / 1000));
      label.style.left = `${x(at)}px`;
      labels.push(label);
    }
    this.#axis.replaceChildren(...labels);
  }

  /** Thumbnails stand at round times, so that a timeline that moves on loads one at a time and none twice. */
  #drawStrip(width, x) {
    const { from, to, aspect } = this.#state;
    const thumb = Math.round(this.#strip.clientHeight * Math.max(0.75, Math.min(1.8, aspect || 1.5)));
    const perThumb = ((to - from) / width) * thumb;
    const step = THUMB_STEPS.find((candidate) => candidate >= perThumb) ?? 600 * SECOND;
    const wanted = new Set();
    for (let at = Math.floor(from / step) * step; at < to; at += step) {
      // The first one begins before the window; once it is there it leaves with its last pixel.
      const text = this.#textAt(Math.max(at, from) + SECOND / 2);
      if (this.#thumbs.get(at)?.step === step || text?.frames?.received > 0) wanted.add(at);
    }
    for (const [at, node] of this.#thumbs) {
      if (!wanted.has(at) || node.step !== step) {
        node.element.remove();
        this.#thumbs.delete(at);
      }
    }
    for (const at of wanted) {
      if (!this.#thumbs.has(at)) this.#thumbs.set(at, { step, element: this.#thumb(Math.max(at, from)) });
      const { element } = this.#thumbs.get(at);
      element.style.width = `${Math.max(8, x(at + step) - x(at) - 2)}px`;
      element.style.transform = `translateX(${x(at)}px)`;
    }
  }

  #thumb(at) {
    const element = h('div', { class: 'thumb' });
    this.#strip.append(element);
    loadImage(this.#frameUrl(at + SECOND / 2)).then((image) => element.append(image), () => element.classList.add('gone'));
    return element;
  }
}

function hatch(pen, left, top, width, height) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.globalAlpha = 0.25;
  pen.fillRect(left, top, width, height);
  pen.globalAlpha = 1;
  pen.beginPath();
  // Lines of one pattern across neighbours: they start at multiples, not at the left edge.
  for (let at = Math.floor((left - height) / 6) * 6; at < left + width; at += 6) {
    pen.moveTo(at, top + height);
    pen.lineTo(at + height, top);
  }
  pen.strokeStyle = pen.fillStyle;
  pen.lineWidth = 1.5;
  pen.stroke();
  pen.restore();
}

function restart(pen, left, colour) {
  pen.fillStyle = colour;
  pen.fillRect(left - 1, 0, 2, LANE_HEIGHT);
  pen.beginPath();
  pen.moveTo(left - 5, 0);
  pen.lineTo(left + 5, 0);
  pen.lineTo(left, 7);
  pen.fill();
}
