// SPDX-License-Identifier: Apache-2.0
// The head of a stream's pages: its name, its state, and the way between them.
import { h, setData, setHidden, setText } from './dom.js';
import { urls } from './api.js';
import { badgeOf } from './words.js';

export function streamHeader(id, current) {
  const badge = h('span', { class: 'badge', hidden: true });
  const state = h('p', { class: 'state-line' });
  const tab = (name, key, href) => h('a', { href, 'aria-current': current === key ? 'page' : null }, name);
  const node = h('header', { class: 'stream-head' },
      h('div', { class: 'stream-name' }, h('h1', {}, id), badge, state),
      h('nav', { class: 'segments', 'aria-label': 'Views of this stream' }, tab('Watch', 'watch', urls.page(id)), tab('Memory', 'memory', urls.memoryPage(id))));
  return {
    node,
    update(stream, line) {
      const [name, explanation, tone] = badgeOf(stream);
      setText(badge, name);
      setData(badge, 'tone', tone);
      badge.title = explanation;
      setHidden(badge, name === '');
      setText(state, line);
    },
  };
}
