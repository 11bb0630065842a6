// SPDX-License-Identifier: Apache-2.0
// What was said, newest first: sentences, with silence folded into one quiet line.
import { h, marked } from './dom.js';
import { momentOf, plural, timeNode } from './format.js';
import { identity, lineOf, remarksOf, toneOf } from './words.js';

const MAX_LINES = 300;

/**
 * The last texts as lines; runs of silence become one.
 *
 * @param committed the last committed chunk of the life, or undefined
 */
export function transcriptLines(texts, selected, committed, now, jump) {
  const lines = [];
  for (let i = texts.length - 1; i >= 0 && lines.length < MAX_LINES; i--) {
    const text = texts[i];
    const remarks = remarksOf(text, texts[i - 1]);
    if (text.kind === 'SILENCE' && remarks.length === 0) {
      let first = i;
      while (first > 0 && texts[first - 1].kind === 'SILENCE' && remarksOf(texts[first - 1], texts[first - 2]).length === 0) first -= 1;
      const run = texts.slice(first, i + 1);
      lines.push(quietLine(run, selected, jump));
      i = first;
    } else {
      lines.push(line(text, remarks, text === selected, committed, now, jump));
    }
  }
  return lines;
}

function quietLine(run, selected, jump) {
  const chosen = run.includes(selected);
  return h('li', { class: 'line', 'data-tone': 'quiet', 'aria-current': chosen ? 'true' : null },
      h('button', { type: 'button', 'data-key': `quiet ${identity(run[0])}`, on: { click: () => jump(run[0].startMicros) } },
          h('span', { class: 'line-time' }), h('span', { class: 'line-text' }, `${plural(run.length, 'quiet second')}`)));
}

function line(text, remarks, chosen, committed, now, jump) {
  return h('li', { class: 'line', 'data-tone': toneOf(text), 'aria-current': chosen ? 'true' : null },
      h('button', { type: 'button', 'data-key': identity(text), on: { click: () => jump(text.startMicros) } },
          timeNode(text.startMicros / 1000, h('time', { class: 'line-time' }), (millis) => momentOf(millis, now)),
          h('span', { class: 'line-text' }, lineOf(text), remarks.map((remark) => h('span', { class: 'remark' }, remark))),
          committed !== undefined && text.chunk <= committed.chunk && text.life === committed.life
            ? h('span', { class: 'committed', title: 'Committed: systems of record have it' }, '✓', h('span', { class: 'sr' }, ' committed'))
            : h('span', { class: 'committed' })));
}

/** A result of a search, its matches marked. */
export function resultLine(result, selected, now, jump) {
  return h('li', { class: 'line', 'data-tone': toneOf(result), 'aria-current': selected && identity(selected) === identity(result) ? 'true' : null },
      h('button', { type: 'button', 'data-key': identity(result), on: { click: () => jump(result.startMicros) } },
          timeNode(result.startMicros / 1000, h('time', { class: 'line-time' }), (millis) => momentOf(millis, now)),
          h('span', { class: 'line-text' }, marked(result.text, result.ranges ?? []))));
}

/** Puts lines into a list; the keyboard's place in it stays where it was. */
export function replaceLines(list, lines) {
  const key = list.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  list.replaceChildren(...lines);
  if (key !== undefined) list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}
