// SPDX-License-Identifier: Apache-2.0
// The whole job: streams, throughput, latency, checkpoints, restarts, dead letters.
import { h, setHidden } from './dom.js';
import { bytes, clockOf, compact, decimal, duration, minuteOf, momentOf, number, plural, timeNode } from './format.js';
import { api } from './api.js';
import { histogram, timeLine } from './chart.js';
import { errorView, loadingView } from './states.js';

const STATES = [['live', 'Live'], ['waiting', 'Waiting'], ['silent', 'No frames'], ['stopped', 'Stopped'], ['ended', 'Ended']];

export function jobPage({ main, store }) {
  const problem = h('div', { class: 'empty' }, loadingView('Waiting for figures'));
  const states = h('div');
  const now = h('dl', { class: 'figures' });
  const lag = histogram('Latency distribution');
  const lagWords = h('p', { class: 'hint' });
  const texts = timeLine('Text events a second, last 15 minutes');
  const late = timeLine('95th percentile of latency, last 15 minutes');
  const flink = h('div');
  const letters = h('div');
  const restarts = h('div');
  const readers = h('div');
  const card = (title, ...children) => h('section', { class: 'card' }, h('h2', {}, title), children);
  const content = h('div', { class: 'job-layout', hidden: true },
      now, h('div', { class: 'cards' },
          card('Streams', states),
          card('Latency', h('p', { class: 'hint' }, 'From the last frame of a second to its text.'), lag.node, lagWords),
          card('Text events per second', texts.node),
          card('Latency over time, p95', late.node),
          card('Dead letters', letters),
          card('Checkpoints', flink),
          card('Restarts', restarts),
          card('Readers of this wall', readers)));
  main.append(h('div', { class: 'job-page' }, h('div', { class: 'bar' }, h('h1', {}, 'Job')), problem, content));

  function show(job) {
    setHidden(problem, true);
    setHidden(content, false);
    figuresOf(now, job);
    statesOf(states, job.streams);
    const { p50, p95, p99, histogram: bins } = job.lagMillis ?? {};
    if (bins?.length > 0) lag.show({ bins, marks: [['p50', p50], ['p95', p95], ['p99', p99]].filter(([, value]) => value !== null && value !== undefined), show: duration }, `Latency distribution: half within ${duration(p50)}, 95 of 100 within ${duration(p95)}, 99 within ${duration(p99)}`);
    lagWords.textContent = latencyWords(job);
    const series = job.series ?? [];
    texts.show({ points: series.map((point) => [point.atMillis, point.texts]), show: compact, time: minuteOf });
    late.show({ points: series.filter((point) => point.lagP95 !== null && point.lagP95 !== undefined).map((point) => [point.atMillis, point.lagP95]), show: duration, time: minuteOf });
    flinkOf(flink, job, store);
    lettersOf(letters, job.deadLetters, store);
    restartsOf(restarts, job, store);
    readersOf(readers, job, store.now());
  }

  const fail = (error) => {
    if (content.hidden) problem.replaceChildren(errorView(error, 'The figures cannot be read', 'h2'));
  };
  const offs = [store.on('job', show), store.on('status', () => store.error && fail(store.error))];
  if (store.job) show(store.job);
  else api.job().then(show, fail);
  return {
    title: 'Job',
    close() {
      offs.forEach((off) => off());
      [lag, texts, late].forEach((chart) => chart.close());
    },
  };
}

const known = (value) => value !== null && value !== undefined;
const figure = (name, value, unit) => h('div', {}, h('dt', {}, name), h('dd', {}, h('strong', {}, value), ' ', h('span', { class: 'unit' }, unit)));

function figuresOf(node, job) {
  const total = STATES.reduce((sum, [state]) => sum + (job.streams?.[state] ?? 0), 0);
  node.replaceChildren(
      figure('Streams', number(job.streams?.live ?? 0), `of ${number(total)} live`),
      figure('Text events', decimal(job.textsPerSecond ?? 0), 'a second'),
      figure('Frames', decimal(job.framesPerSecond ?? 0), `a second, ${bytes(job.bytesPerSecond ?? 0)}`),
      figure('Latency', known(job.lagMillis?.p50) ? duration(job.lagMillis.p50) : '–', known(job.lagMillis?.p95) ? `median; p95 ${duration(job.lagMillis.p95)}` : 'no text yet'));
}

function statesOf(node, streams = {}) {
  const total = STATES.reduce((sum, [state]) => sum + (streams[state] ?? 0), 0);
  const bar = h('div', { class: 'state-bar', 'aria-hidden': 'true' }, STATES.filter(([state]) => streams[state] > 0).map(([state]) => {
    const piece = h('span', { 'data-state': state });
    piece.style.flexGrow = streams[state];
    return piece;
  }));
  node.replaceChildren(...(total > 0 ? [bar] : []), h('ul', { class: 'legend' }, STATES.map(([state, name]) =>
    h('li', {}, h('span', { class: 'swatch', 'data-state': state }), name, ' ', h('strong', {}, number(streams[state] ?? 0))))));
}

function latencyWords(job) {
  const { p50, p95, p99 } = job.lagMillis ?? {};
  if (!known(p50)) return 'No text yet.';
  const committed = job.committedLagMillis;
  return `Half of the text within ${duration(p50)}, 95 of 100 within ${duration(p95)}, 99 within ${duration(p99)}.${known(committed?.p50) ? ` Committed, as systems of record read it: ${duration(committed.p50)} (p95 ${duration(committed.p95)}).` : ''}`;
}

function flinkOf(node, job, store) {
  if (!job.flink) {
    node.replaceChildren(h('p', { class: 'hint' }, job.flinkError ? `${job.flinkError} The wall goes on without.` : 'Not asked. Start the wall with --flink http://jobmanager:8081 to see checkpoints here.'));
    return;
  }
  const { state, name, sinceMillis, checkpoints } = job.flink;
  const lines = [h('p', {}, h('strong', {}, state), known(name) ? ` · ${name}` : '', known(sinceMillis) ? h('span', { class: 'hint' }, ' since ', timeNode(sinceMillis, h('time'), (millis) => momentOf(millis, store.now()))) : null)];
  if (checkpoints) {
    lines.push(h('p', { class: 'hint' }, `${plural(checkpoints.completed ?? 0, 'checkpoint')} completed, ${number(checkpoints.failed ?? 0)} failed.`));
    lines.push(table('Latest checkpoints', ['Checkpoint', 'At', 'Took', 'Size'], (checkpoints.recent ?? []).slice(0, 8).map((c) => [
      `${c.id}${c.status && c.status !== 'COMPLETED' ? ` ${c.status.toLowerCase().replace('_', ' ')}` : ''}`, timeNode(c.atMillis), duration(c.durationMillis), bytes(c.bytes)])));
  }
  node.replaceChildren(...lines);
}

function lettersOf(node, letters, store) {
  if (!letters || letters.total === 0) {
    node.replaceChildren(h('p', { class: 'hint' }, 'None. Records that could not be used would be listed here with the reason; they never disturb other streams.'));
    return;
  }
  node.replaceChildren(
      h('p', {}, h('strong', {}, number(letters.total)), ' ', letters.total === 1 ? 'record that could not be used.' : 'records that could not be used.'),
      h('ul', { class: 'letters' }, letters.reasons.map((reason) => h('li', {},
          h('p', {}, h('strong', {}, reason.reason), h('span', { class: 'hint' }, ` ${number(reason.count)} · last `, timeNode(reason.lastMillis, h('time'), (millis) => momentOf(millis, store.now())), reason.lastStream ? ` · ${reason.lastStream}` : '')),
          h('p', { class: 'detail' }, reason.lastDetail)))));
}

function restartsOf(node, job, store) {
  const list = job.restarts ?? [];
  if (list.length === 0) {
    node.replaceChildren(h('p', { class: 'hint' }, 'None since this wall was started.'));
    return;
  }
  node.replaceChildren(h('ol', { class: 'plain-list' }, list.map((restart) => h('li', {}, timeNode(restart.atMillis, h('time'), (millis) => momentOf(millis, store.now())), h('span', { class: 'hint' }, ` ${plural(restart.streams, 'stream')} went on`)))));
}

function readersOf(node, job, now) {
  const row = ([name, reader]) => h('li', {}, h('span', { class: 'swatch', 'data-state': reader.connected ? 'live' : 'waiting' }), `${name === 'deadLetters' ? 'dead letters' : name}: ${reader.connected ? 'connected' : 'the broker does not answer; the wall goes on when it is back'}`, reader.skipped > 0 ? h('span', { class: 'hint' }, ` · ${plural(reader.skipped, 'record')} skipped as unreadable`) : null);
  const readers = Object.entries(job.readers ?? {}).filter(([, reader]) => reader);
  node.replaceChildren(h('ul', { class: 'plain-list' }, readers.map(row), h('li', { class: 'hint' }, `${plural(job.clients ?? 0, 'open page')}, figures of ${clockOf(now)}`)));
}

function table(label, heads, rows) {
  return h('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': label }, h('table', {},
      h('thead', {}, h('tr', {}, heads.map((name, i) => h('th', { scope: 'col', class: i > 0 ? 'number' : null }, name)))),
      h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell, i) => (i === 0 ? h('th', { scope: 'row' }, cell) : h('td', { class: 'number' }, cell))))))));
}
