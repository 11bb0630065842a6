// SPDX-License-Identifier: Apache-2.0
// Keys, and what the signs mean.
import { h } from './dom.js';
import { remember, remembered } from './settings.js';

const KEYS = [
  ['Everywhere', [['1  2  3', 'Wall, job, clips'], ['t', 'Theme: as the system, light, dark'], ['?', 'This page'], ['Tab', 'From part to part']]],
  ['Wall', [['/', 'Filter'], ['o', 'Sort by something else'], ['d', 'Size of the tiles'], ['← ↑ → ↓', 'From tile to tile'], ['Enter', 'Open the stream']]],
  ['One stream', [['← →', 'One second back or on'], ['Shift ← →', 'Sentence before or after'], ['/', 'Search what was said'], ['l', 'Follow live'], ['m', 'Memory, and back'], ['Esc', 'Clear the search, follow live, then to the wall']]],
];

const SIGNS = [
  ['✓', 'Committed: the text is in the transaction of a finished checkpoint; systems of record have it, each once. Without it, the text is as live readers see it: after a crash the same words come again, never other ones, and nothing is shown twice.'],
  ['Waiting', 'Frames come but no text: the job is down, restarting or behind.'],
  ['No frames', 'The camera sends nothing.'],
  ['Stopped', 'A command stopped the stream; another one starts it.'],
  ['Gap, skipped', 'Seconds without frames, or left out under overload. They are recorded, never silently lost.'],
  ['Merged', 'Several seconds were looked at together to catch up.'],
  ['Job restarted', 'The job was started anew and went on from its checkpoint, with its memory.'],
  ['Faded text', 'Nothing happens now; this is what was said last.'],
];

export function helpPage({ main, store }) {
  const keys = h('input', { type: 'checkbox', id: 'keys', on: { change: () => remember('keys', keys.checked ? 'on' : 'off') } });
  keys.checked = remembered('keys', 'on') === 'on';
  const version = h('p', { class: 'hint' });
  const told = () => { version.textContent = store.info ? `Everwatch ${store.info.version}. Times are of this browser’s time zone, with UTC when pointed at. This page asks nobody but its own server for anything.` : ''; };
  told();
  main.append(h('div', { class: 'help-page' }, h('div', { class: 'bar' }, h('h1', {}, 'Help')),
      h('section', {}, h('h2', {}, 'Keys'), h('p', { class: 'field' }, keys, h('label', { for: 'keys' }, 'Single keys do what is listed here')),
          h('div', { class: 'key-groups' }, KEYS.map(([title, list]) => h('div', {}, h('h3', {}, title), h('dl', { class: 'keys' }, list.map(([key, what]) => h('div', {}, h('dt', {}, key.split(/ {2}/).map((one) => h('kbd', {}, one))), h('dd', {}, what)))))))),
      h('section', {}, h('h2', {}, 'Signs'), h('dl', { class: 'signs' }, SIGNS.map(([sign, meaning]) => h('div', {}, h('dt', {}, sign), h('dd', {}, meaning))))), version));
  return { title: 'Help', close: store.on('info', told) };
}
