// SPDX-License-Identifier: Apache-2.0
// Pages with nothing to show: why, and what to do.
import { h } from './dom.js';

export function stateView(title, paragraphs, commands = [], level = 'h1') {
  return h('div', { class: 'state' },
      h(level, {}, title),
      paragraphs.filter(Boolean).map((paragraph) => h('p', {}, paragraph)),
      commands.map(([what, command]) => h('figure', {}, h('figcaption', {}, what), h('pre', { tabindex: '0' }, h('code', {}, command)))));
}

export const loadingView = (what) => h('div', { class: 'state state-loading', 'aria-busy': 'true' }, h('p', {}, `${what} …`));

/** An ApiError as a page. */
export function errorView(error, what, level = 'h1') {
  if (error.status === 401 || error.status === 403) {
    return stateView('You are not signed in', [error.message, error.hint || 'Open the address with the token that the server’s operator gave you: /login?token=…'], [], level);
  }
  return stateView(what, [error.message, error.hint], [], level);
}

export const noStreams = (info) => stateView('No streams yet', [
  `This wall reads the topics ${info?.topics?.frames ?? 'frames'} and ${info?.topics?.text ?? 'text'}. A stream appears here by itself with its first frame.`,
], [
  ['A camera, or a file, as a stream called door', './everwatch camera --input clip.mp4 --stream door --brokers localhost:9092'],
  ['The job that writes the text', './everwatch run --config job.yaml'],
]);

/** What the line at the top says when the server is not there. */
export const CONNECTION = {
  connecting: 'Connecting …',
  live: 'Live',
  broker: 'Broker away, trying again',
  away: 'Server away, trying again',
  denied: 'Not signed in',
  full: 'Server full, trying again',
};
