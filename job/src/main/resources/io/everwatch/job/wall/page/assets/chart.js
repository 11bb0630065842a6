// SPDX-License-Identifier: Apache-2.0
// Small drawings of figures as SVG, drawn anew for the width they have. Each also stands in words or a table.
import { h, s } from './dom.js';

const PAD = { top: 14, right: 12, bottom: 24, left: 52 };

/** A box that draws itself: `draw(svg, width, height)` after each `show(data)` and each change of width. */
export class Chart {
  #draw;
  #height;
  #data = null;
  #svg;
  #observer = new ResizeObserver(() => this.#paint());

  constructor(label, height, draw) {
    this.#draw = draw;
    this.#height = height;
    this.#svg = s('svg', { role: 'img', 'aria-label': label, height, width: '100%' });
    this.node = h('div', { class: 'chart' }, this.#svg);
    this.node.style.height = `${height}px`;
    this.#observer.observe(this.node);
  }

  show(data, label) {
    this.#data = data;
    if (label) this.#svg.setAttribute('aria-label', label);
    this.#paint();
  }

  close() {
    this.#observer.disconnect();
  }

  #paint() {
    const width = this.node.clientWidth;
    if (!this.#data || width === 0) return;
    this.#svg.replaceChildren();
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${this.#height}`);
    this.#draw(this.#svg, width, this.#height, this.#data);
  }
}

/** Values to pixels of the plot, within its margins. */
export function scales(width, height, x, y) {
  const across = (value) => PAD.left + ((value - x[0]) / (x[1] - x[0] || 1)) * (width - PAD.left - PAD.right);
  const up = (value) => height - PAD.bottom - (value / (y || 1)) * (height - PAD.top - PAD.bottom);
  return { across, up, left: PAD.left, right: width - PAD.right, top: PAD.top, bottom: height - PAD.bottom };
}

/** 1, 2 or 5 times a power of ten, so that about `count` of them fit. */
export function niceStep(max, count) {
  const rough = max / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

export function yAxis(svg, scale, max, show) {
  const step = niceStep(max, 4);
  for (let value = 0; value <= max * 1.0001; value += step) {
    const y = Math.round(scale.up(value)) + 0.5;
    svg.append(s('line', { class: 'grid', x1: scale.left, x2: scale.right, y1: y, y2: y }),
        s('text', { class: 'tick', x: scale.left - 8, y: y + 4, 'text-anchor': 'end' }, show(value)));
  }
}

/** Labels below, at their ends where they would be cut. */
export function xAxis(svg, scale, [from, to], show, count = 5) {
  for (let i = 0; i <= count; i++) {
    const value = from + ((to - from) * i) / count;
    const anchor = i === 0 ? 'start' : i === count ? 'end' : 'middle';
    svg.append(s('text', { class: 'tick', x: scale.across(value), y: scale.bottom + 17, 'text-anchor': anchor }, show(value)));
  }
}

export function linePath(points) {
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

/** The band between two lines over the same places. */
export function bandPath(upper, lower) {
  return `${linePath(upper)}${linePath([...lower].reverse()).replace('M', 'L')}Z`;
}

/** One line over time with the area under it; data `{points: [[millis, value]…], show, time}`. */
export function timeLine(label, height = 120) {
  return new Chart(label, height, (svg, width, high, { points, show, time }) => {
    if (points.length < 2) return;
    const max = Math.max(...points.map(([, value]) => value)) * 1.1 || 1;
    const span = [points[0][0], points.at(-1)[0]];
    const scale = scales(width, high, span, max);
    yAxis(svg, scale, max, show);
    xAxis(svg, scale, span, time, width < 420 ? 2 : 3);
    const line = points.map(([at, value]) => [scale.across(at), scale.up(value)]);
    svg.append(s('path', { class: 'area', d: bandPath(line, line.map(([x]) => [x, scale.bottom])) }), s('path', { class: 'stroke', d: linePath(line) }));
  });
}

/** Bars with marks across them; data `{bins: [[upper, count]…], marks: [[name, value]…], show}`. */
export function histogram(label, height = 180) {
  return new Chart(label, height, (svg, width, high, { bins, marks, show }) => {
    const max = Math.max(1, ...bins.map(([, count]) => count));
    const scale = scales(width, high, [0, bins.length], max * 1.25);
    yAxis(svg, scale, max, (value) => (Number.isInteger(value) ? String(value) : ''));
    const bar = (scale.right - scale.left) / bins.length;
    const every = Math.max(1, Math.ceil(48 / bar));
    bins.forEach(([upper, count], i) => {
      const top = scale.up(count);
      svg.append(s('rect', { class: 'bar-fill', x: scale.across(i) + 1, y: top, width: Math.max(1, bar - 2), height: scale.bottom - top }));
      if ((i + 1) % every === 0) svg.append(s('text', { class: 'tick', x: scale.across(i + 1), y: scale.bottom + 17, 'text-anchor': i === bins.length - 1 ? 'end' : 'middle' }, show(upper)));
    });
    let row = 0;
    for (const [name, value] of marks) {
      const x = Math.round(scale.across(place(bins, value))) + 0.5;
      const end = x > width - 60;
      svg.append(s('line', { class: 'mark-line', x1: x, x2: x, y1: scale.top + row * 13, y2: scale.bottom }),
          s('text', { class: 'mark-name', x: x + (end ? -4 : 4), y: scale.top + 9 + row * 13, 'text-anchor': end ? 'end' : 'start' }, name));
      row += 1;
    }
  });
}

/** Where a value stands among bins, which need not be equally wide. */
function place(bins, value) {
  const index = bins.findIndex(([upper]) => value <= upper);
  if (index < 0) return bins.length;
  const lower = index === 0 ? 0 : bins[index - 1][0];
  return index + (value - lower) / (bins[index][0] - lower || 1);
}
