// SPDX-License-Identifier: Apache-2.0
// All streams as tiles: only those near the window exist, and only those have pictures.
import { h, setHidden, setText } from './dom.js';
import { byName, plural } from './format.js';
import { urls, widthFor } from './api.js';
import { FrameLoader } from './frames.js';
import { VirtualGrid } from './grid.js';
import { remember, remembered } from './settings.js';
import { loadingView, noStreams, errorView, stateView } from './states.js';
import { createTile, nameTile, showFrame, updateTile } from './tile.js';

/** Tiles do not change places more often than this, or under a hand. */
const SORT_MILLIS = 5_000;
const STATE_ORDER = ['waiting', 'live', 'silent', 'stopped', 'ended'];
const SORTS = {
  name: ['Name', (a, b) => byName(a.id, b.id)],
  state: ['State', (a, b) => STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) || byName(a.id, b.id)],
  activity: ['Last said', (a, b) => (b.lastComment?.endMicros ?? 0) - (a.lastComment?.endMicros ?? 0) || byName(a.id, b.id)],
};
const DENSITIES = { fit: 'Fit', large: 'Large', medium: 'Medium', small: 'Small' };

export function wallPage({ main, store }) {
  const loader = new FrameLoader();
  const list = h('ul', { class: 'tiles', role: 'list', 'aria-label': 'Streams' });
  const empty = h('div', { class: 'empty' });
  const count = h('p', { class: 'count' });
  const filter = h('input', { type: 'search', placeholder: 'Filter', 'aria-label': 'Filter streams by name or text', autocomplete: 'off', spellcheck: 'false', on: { input: () => arrange() } });
  const sort = select('Sort by', SORTS, remembered('sort', 'name'), (value) => {
    remember('sort', value);
    arrange();
  });
  const density = select('Tiles', DENSITIES, remembered('density', 'fit'), (value) => {
    remember('density', value);
    list.dataset.density = value;
    grid.layout();
  });
  list.dataset.density = density.value;
  const bar = h('div', { class: 'bar' }, h('h1', {}, 'Wall'), count, h('div', { class: 'bar-end' }, filter, labelled('Sort', sort), labelled('Tiles', density)));
  main.append(bar, empty, list);

  let aspect = 4 / 3;
  let arranged = 0;
  let known = 0;
  const grid = new VirtualGrid(list, {
    aspect: () => aspect,
    create: createTile,
    show(tile, id) {
      nameTile(tile, id);
      update(tile, id);
      loader.watch(id, () => frameUrl(id), (image) => showFrame(tile, image));
    },
    hide: (tile, id) => loader.unwatch(id),
  });

  function frameUrl(id) {
    const frame = store.streams.get(id)?.frame;
    return frame ? urls.newestFrame(id, frame.sequence, widthFor(grid.cellWidth)) : null;
  }

  function update(tile, id) {
    const stream = store.streams.get(id);
    if (stream) updateTile(tile, stream, store.notes.get(id), store.now());
  }

  function updateAll(ids) {
    for (const [id, tile] of grid.visible) {
      if (ids === null || ids.has(id)) update(tile, id);
    }
  }

  function arrange() {
    arranged = performance.now();
    known = store.streams.size;
    const words = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const found = [...store.streams.values()].filter((stream) => matches(stream, words)).sort(SORTS[sort.value][1]);
    aspect = commonAspect(store.streams.values()) ?? aspect;
    const all = store.streams.size;
    setText(count, found.length === all ? plural(all, 'stream') : `${found.length} of ${plural(all, 'stream')}`);
    // Before the tiles, whose size follows from the room that is left.
    describe(found.length, words.length > 0);
    grid.setItems(found.map((stream) => stream.id));
    updateAll(null);
  }

  function describe(found, filtered) {
    let view = null;
    if (found === 0 && filtered && store.streams.size > 0) view = ['filter', () => stateView('No stream matches', [`Nothing is called, or says, “${filter.value.trim()}”. Clear the filter to see all.`], [], 'h2')];
    else if (found === 0 && store.loaded) view = ['none', () => noStreams(store.info)];
    else if (!store.loaded && store.error) view = ['error', () => errorView(store.error, 'The wall is not reachable', 'h2')];
    else if (!store.loaded) view = ['loading', () => loadingView('Waiting for the server')];
    const key = view === null ? '' : view[0] + (view[0] === 'filter' ? filter.value : '');
    if (empty.dataset.view !== key) {
      empty.dataset.view = key;
      empty.replaceChildren(...(view ? [view[1]()] : []));
    }
    setHidden(empty, view === null);
    // A heading of its own stands in the view.
    setHidden(bar, view !== null && view[0] !== 'filter');
  }

  const offs = [
    store.on('streams', (ids) => {
      if (ids === null || changesOrder(ids)) arrange();
      else updateAll(ids);
    }),
    store.on('status', () => arrange()),
    store.on('info', () => arrange()),
  ];

  function changesOrder(ids) {
    if (known !== store.streams.size) return true;
    if (sort.value === 'name' && filter.value === '') return false;
    return performance.now() - arranged > SORT_MILLIS && !grid.hasFocus && !list.matches(':hover');
  }

  const ticking = setInterval(() => {
    if (document.visibilityState === 'visible') updateAll(null);
  }, 1_000);
  arrange();

  return {
    title: 'Everwatch',
    close() {
      clearInterval(ticking);
      offs.forEach((off) => off());
      grid.close();
      loader.close();
    },
    key(event) {
      if (event.key === '/') filter.focus();
      else if (event.key === 'd') next(density);
      else if (event.key === 'o') next(sort);
      else if (event.key === 'Escape' && filter.value !== '') {
        filter.value = '';
        arrange();
      } else if (/^Arrow/.test(event.key) && event.target === document.body) grid.focus(0);
      else return false;
      return true;
    },
  };
}

function matches(stream, words) {
  if (words.length === 0) return true;
  const text = `${stream.id} ${stream.state} ${stream.lastComment?.text ?? ''} ${stream.text ?? ''}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The shape most cameras have, so that most frames fill their box; between a square and 16:9. */
function commonAspect(streams) {
  const counts = new Map();
  for (const { frame } of streams) {
    if (!frame?.width || !frame.height) continue;
    const aspect = Math.min(16 / 9, Math.max(1, frame.width / frame.height));
    counts.set(aspect, (counts.get(aspect) ?? 0) + 1);
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  return most?.[0];
}

function select(label, options, value, changed) {
  const node = h('select', { 'aria-label': label, on: { change: () => changed(node.value) } },
      Object.entries(options).map(([key, name]) => h('option', { value: key }, Array.isArray(name) ? name[0] : name)));
  node.value = value in options ? value : Object.keys(options)[0];
  return node;
}

function next(node) {
  node.selectedIndex = (node.selectedIndex + 1) % node.options.length;
  node.dispatchEvent(new Event('change'));
}

const labelled = (name, control) => h('span', { class: 'field' }, h('span', { class: 'field-name', 'aria-hidden': 'true' }, name), control);
