// SPDX-License-Identifier: Apache-2.0
// What a stream's model remembers now, and what it would have to hold had it never let go of anything.
import { h, s, setHidden, setText } from './dom.js';
import { clockOf, compact, decimal, number, plural } from './format.js';
import { api } from './api.js';
import { Chart, bandPath, linePath, scales, xAxis, yAxis } from './chart.js';
import { errorView, loadingView, stateView } from './states.js';
import { streamHeader } from './streamheader.js';
import { stateLine } from './words.js';

const REFRESH_MILLIS = 5_000;
const MAX_POINTS = 900;
/** Kinds of rows, from the bottom of the chart to its top. */
const KINDS = [
  ['vision', 'What it saw', 'Rows of the newest pictures; the oldest go first.'],
  ['generated', 'What it said of them', 'Its own sentences beside those pictures.'],
  ['context', 'What it said before', 'The text memory: instruction and older sentences.'],
  ['rest', 'The rest', 'The fixed beginning and the marks between seconds.'],
];
const held = (point) => KINDS.reduce((sum, [kind]) => sum + (point[kind] ?? 0), 0);

export function memoryPage({ main, store, go }, id) {
  const header = streamHeader(id, 'memory');
  const problem = h('div', { class: 'empty' }, loadingView('Reading the memory'));
  const chart = new Chart('Rows held over time', 280, drawRows);
  const figures = h('dl', { class: 'figures' });
  const kinds = h('tbody');
  const text = h('div', { class: 'text-memory' });
  const asOf = h('p', { class: 'hint' });
  const content = h('div', { class: 'memory-layout', hidden: true },
      h('p', { class: 'lead' }, 'To understand what happens next, a model keeps notes on what it has seen and said: rows of numbers, a few dozen for each second, known as its KV cache. ',
          'Kept for ever they would outgrow any machine. Everwatch keeps the beginning, the last seconds of pictures and the latest sentences, and lets the rest go, so a stream can run for years.'),
      figures,
      h('section', { class: 'card', 'aria-labelledby': 'rows' }, h('h2', { id: 'rows' }, 'Rows held'), chart.node,
          h('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Rows by kind' }, h('table', {},
              h('thead', {}, h('tr', {}, ['Kind', 'Rows now', 'Share'].map((name, i) => h('th', { scope: 'col', class: i > 0 ? 'number' : null }, name)))), kinds))),
      h('section', { class: 'card', 'aria-labelledby': 'words' }, h('h2', { id: 'words' }, 'What it still knows in words'),
          h('p', { class: 'hint' }, 'When a second is too old to be kept as pictures, the sentence about it moves here. The beginning stays for good; the oldest of the rest is cut.'), text, asOf));
  main.append(h('div', { class: 'memory-page' }, header.node, problem, content));

  let series = [];
  async function load() {
    try {
      const answer = await api.memory(id);
      series = answer.series ?? [];
      if (!answer.now && series.length === 0) {
        fail(stateView('Nothing is remembered yet', ['The memory shows with the stream’s first second of text.', 'An older job does not tell of its memory: its text events carry no figures.'], [], 'h2'));
        return;
      }
      setHidden(problem, true);
      setHidden(content, false);
      show(answer);
    } catch (error) {
      if (content.hidden) fail(errorView(error, error.status === 404 ? `No stream is called ${id}` : 'The memory cannot be read', 'h2'));
    }
  }

  function fail(view) {
    problem.replaceChildren(view);
    setHidden(problem, false);
    setHidden(content, true);
  }

  function show({ now, text: words, settings }) {
    const newest = now ?? series.at(-1);
    const rows = held(newest);
    const full = newest.computed ?? rows;
    figures.replaceChildren(
        figure('Held now', compact(rows), 'rows'),
        figure('Let go', compact(Math.max(0, full - rows)), 'rows'),
        figure('Without letting go', `${newest.countedFromRound > 0 ? '≥ ' : ''}${compact(full)}`, full > rows * 1.5 ? `rows, ${decimal(full / rows)} times as many` : 'rows'),
        figure('Position', newest.position === undefined ? '–' : number(newest.position), 'of the newest row; stays small too'));
    kinds.replaceChildren(...KINDS.map(([kind, name, explanation]) => h('tr', {},
        h('th', { scope: 'row' }, h('span', { class: 'kind' }, h('span', { class: 'swatch', 'data-kind': kind }), h('span', { class: 'kind-name' }, name, h('span', { class: 'hint' }, explanation)))),
        h('td', { class: 'number' }, number(newest[kind] ?? 0)), h('td', { class: 'number' }, `${Math.round((100 * (newest[kind] ?? 0)) / (rows || 1))} %`))));
    chart.show(series, `Rows held over time: ${plural(rows, 'row')} now; ${number(full)} had nothing been let go`);
    showWords(words, newest, settings);
  }

  function showWords(words, newest, settings) {
    if (!words) {
      text.replaceChildren(h('p', { class: 'hint' }, 'Not told yet: the memory’s text comes with every minute’s event.'));
      setText(asOf, '');
      return;
    }
    const nodes = [];
    if (words.sink) nodes.push(part('The beginning, kept for good', words.sink, 'sink', newest.sinkTokens));
    if (words.window) {
      if (words.sink && (newest.full ?? true)) nodes.push(h('p', { class: 'cut' }, 'older sentences, let go'));
      nodes.push(part('The latest', words.window, 'window', newest.windowTokens));
    }
    if (words.added?.length > 0) {
      nodes.push(h('div', { class: 'memory-part', 'data-part': 'added' }, h('h3', {}, 'Said since then, moving in'),
          words.added.map((sentence) => h('p', {}, sentence))));
    }
    if (nodes.length === 0) nodes.push(h('p', { class: 'hint' }, 'Empty: nothing has been said that is older than the pictures it keeps.'));
    text.replaceChildren(...nodes);
    const rounds = settings?.visualRounds ? ` Pictures of the last ${plural(settings.visualRounds, 'second')} are kept.` : '';
    setText(asOf, `As of second ${number(words.asOfChunk)} of the stream.${rounds}`);
  }

  const offs = [
    store.on('streams', (ids) => (ids === null || ids.has(id)) && head()),
    store.on('reset', load),
    store.on('texts', (texts) => {
      const mine = texts.filter((event) => event.stream === id && event.memory);
      if (mine.length === 0 || content.hidden) return;
      series = series.concat(mine.map((event) => ({ ...event.memory, chunk: event.chunk, endMicros: event.endMicros }))).slice(-MAX_POINTS);
      chart.show(series);
    }),
  ];
  function head() {
    const stream = store.streams.get(id);
    if (stream) header.update(stream, stateLine(stream, store.now()));
  }
  const timer = setInterval(() => document.visibilityState === 'visible' && load(), REFRESH_MILLIS);
  head();
  load();
  return {
    title: `Memory of ${id}`,
    close() {
      clearInterval(timer);
      offs.forEach((off) => off());
      chart.close();
    },
    key(event) {
      if (event.key === 'm' || event.key === 'Escape') go(`/streams/${encodeURIComponent(id)}`);
      else return false;
      return true;
    },
  };
}

const figure = (name, value, unit) => h('div', {}, h('dt', {}, name), h('dd', {}, h('strong', {}, value), ' ', h('span', { class: 'unit' }, unit)));

function part(title, text, kind, tokens) {
  return h('div', { class: 'memory-part', 'data-part': kind },
      h('h3', {}, title, tokens ? h('span', { class: 'unit' }, ` · ${plural(tokens, 'token')}`) : null), h('p', {}, text.trim()));
}

/** Bands by kind, and above them the line of full attention, on its way out of the picture. */
function drawRows(svg, width, height, series) {
  if (series.length < 2) {
    svg.append(s('text', { class: 'tick', x: 52, y: 40 }, 'The first minute is being recorded …'));
    return;
  }
  const span = [series[0].endMicros, series.at(-1).endMicros];
  const max = Math.max(...series.map(held)) * 1.6 || 1;
  const scale = scales(width, height, span, max);
  yAxis(svg, scale, max, compact);
  xAxis(svg, scale, span, (micros) => clockOf(micros / 1000), width < 420 ? 2 : 4);
  let lower = series.map((point) => [scale.across(point.endMicros), scale.bottom]);
  const sums = series.map(() => 0);
  for (const [kind] of KINDS) {
    const upper = series.map((point, i) => {
      sums[i] += point[kind] ?? 0;
      return [scale.across(point.endMicros), scale.up(sums[i])];
    });
    svg.append(s('path', { class: 'band', 'data-kind': kind, d: bandPath(upper, lower) }));
    lower = upper;
  }
  drawFull(svg, scale, series, max, width);
}

function drawFull(svg, scale, series, max, width) {
  const inside = [];
  for (const point of series) {
    if (point.computed === undefined || point.computed === null) continue;
    if (point.computed > max) {
      const before = inside.at(-1);
      inside.push([scale.across(point.endMicros), scale.top - 14]);
      if (!before) inside.length = 0;
      break;
    }
    inside.push([scale.across(point.endMicros), scale.up(point.computed)]);
  }
  if (inside.length > 1) svg.append(s('path', { class: 'full-line', d: linePath(inside) }));
  const newest = series.at(-1).computed;
  if (newest === undefined || newest <= max) return;
  const label = `full attention would hold ${compact(newest)} rows by now`;
  const text = width < 480 ? `full attention: ${compact(newest)} ↑` : `${label} ↑`;
  svg.append(s('text', { class: 'full-name', x: scale.right - 4, y: scale.top + 8, 'text-anchor': 'end' }, text));
}

