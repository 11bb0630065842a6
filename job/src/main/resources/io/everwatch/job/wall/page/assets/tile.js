// SPDX-License-Identifier: Apache-2.0
// One stream on the wall. Tiles are used again for other streams while one scrolls.
import { h, setData, setHidden, setText } from './dom.js';
import { duration, timeNode } from './format.js';
import { urls } from './api.js';
import { badgeOf, lineOf, noteOf, stateLine } from './words.js';

const parts = new WeakMap();

export function createTile() {
  const p = {
    picture: h('div', { class: 'tile-picture' }),
    link: h('a', { href: '/' }),
    badge: h('span', { class: 'badge' }),
    text: h('p', { class: 'tile-text' }),
    time: h('time'),
    committed: h('span', { class: 'committed', title: 'Committed: systems of record have it' }, '✓', h('span', { class: 'sr' }, ' committed')),
    note: h('span', { class: 'note' }),
    lag: h('span', { class: 'lag', title: 'From the last frame of the second to its text' }),
  };
  const tile = h('li', { class: 'tile' },
      h('article', {},
          p.picture,
          h('div', { class: 'tile-body' },
              h('div', { class: 'tile-head' }, h('h2', {}, p.link), p.badge),
              p.text,
              h('p', { class: 'tile-meta' }, p.time, p.committed, p.note, p.lag))));
  parts.set(tile, p);
  return tile;
}

/** The stream's own words; its name may be any text. */
export function nameTile(tile, id) {
  const p = parts.get(tile);
  setText(p.link, id);
  p.link.href = urls.page(id);
  p.link.title = id;
  p.picture.replaceChildren();
}

export function showFrame(tile, image) {
  parts.get(tile).picture.replaceChildren(image);
}

export function updateTile(tile, stream, remarkable, now) {
  const p = parts.get(tile);
  const [badge, explanation, tone] = badgeOf(stream);
  setData(tile, 'state', stream.state);
  setData(p.badge, 'tone', tone);
  setText(p.badge, badge);
  if (p.badge.title !== explanation) p.badge.title = explanation;
  setHidden(p.badge, badge === '');
  const newest = { ...stream, startMicros: stream.endMicros };
  const spoken = saidBy(stream);
  const state = stateLine(stream, now);
  setText(p.text, state || (spoken ? spoken.text : stream.kind ? lineOf(newest) : 'No text yet'));
  setData(p.text, 'tone', state ? tone : spoken ? (spoken.past ? 'past' : 'said') : 'quiet');
  setHidden(p.time, !spoken && !stream.endMicros);
  if (spoken || stream.endMicros) timeNode((spoken ?? stream).endMicros / 1000, p.time);
  setHidden(p.committed, !spoken || !((stream.committedChunk ?? -1) >= spoken.chunk));
  setText(p.note, noteOf(stream, remarkable, now) || (spoken?.past && stream.state === 'live' ? 'quiet since' : ''));
  setText(p.lag, stream.state === 'live' && stream.lagMillis !== null && stream.lagMillis !== undefined ? duration(stream.lagMillis) : '');
}

/** What to show of a stream: its comment of now, or in silence the last one, which is past. */
function saidBy(stream) {
  if (stream.kind === 'COMMENT' || stream.kind === 'ANSWER' || stream.kind === 'ALERT' || stream.kind === 'ERROR') {
    const text = stream.kind === 'ERROR' ? lineOf(stream) : stream.text;
    return { text, chunk: stream.chunk, endMicros: stream.endMicros, past: false };
  }
  return stream.lastComment ? { ...stream.lastComment, past: true } : null;
}
