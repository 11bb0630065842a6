// SPDX-License-Identifier: Apache-2.0
// What the server says, as it says it (server-sent events), told to pages at most once a frame.
import { api } from './api.js';

/** A hidden page gives its connection back after this, and starts from a snapshot when it is seen again. */
const HIDDEN_MILLIS = 20_000;
/** `job` comes every two seconds; this long without anything, the connection is dead though open. */
const DEAD_MILLIS = 12_000;
/** A page that is seen again and heard nothing for so long slept: it asks how things are, not what happened. */
const SLEPT_MILLIS = 5_000;
/** Texts kept for a page that cannot paint; beyond it pages ask for what they missed. */
const MAX_QUEUED_TEXTS = 2_000;
const FIRST_RETRY_MILLIS = 1_000;
const LAST_RETRY_MILLIS = 15_000;
const NAMES = new Map([[401, 'denied'], [403, 'denied'], [503, 'full']]);

/**
 * Kinds of news: `status`, `info`, `streams` (Set of changed IDs, or null = all), `texts` (array), `job`, and
 * `reset`: something was missed (a new server, a sleep), so pages ask for their history again.
 */
export class Store {
  streams = new Map();
  /** Per stream the last thing worth a word on its tile: a gap, a skip, merged seconds. */
  notes = new Map();
  info = null;
  job = null;
  /** connecting | live | away | denied | full */
  status = 'connecting';
  error = null;
  /** Whether a first list of streams has come. */
  loaded = false;

  #listeners = new Map();
  #pending = new Map();
  #painting = false;
  #source = null;
  #instance = null;
  #clockOffset = 0;
  #heardAt = 0;
  #retryMillis = FIRST_RETRY_MILLIS;
  #failures = 0;
  #retry = 0;
  #hiding = 0;
  #missed = false;

  start() {
    document.addEventListener('visibilitychange', () => this.#visibility());
    window.addEventListener('online', () => this.#reconnect());
    setInterval(() => this.#watchdog(), 2_000);
    this.#connect();
  }

  /** The server's wall clock; a wrong clock here must not make streams look late. */
  now() {
    return Date.now() + this.#clockOffset;
  }

  on(kind, listener) {
    if (!this.#listeners.has(kind)) this.#listeners.set(kind, new Set());
    this.#listeners.get(kind).add(listener);
    return () => this.#listeners.get(kind).delete(listener);
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#source?.close();
    const source = new EventSource('/api/live');
    this.#source = source;
    this.#heardAt = Date.now();
    const listen = (type, handle) =>
      source.addEventListener(type, (event) => {
        this.#heardAt = Date.now();
        handle(JSON.parse(event.data));
      });
    listen('hello', (hello) => this.#hello(hello));
    listen('streams', (news) => this.#streams(news));
    listen('texts', (news) => this.#texts(news.texts));
    listen('committed', (news) => this.#committed(news.streams));
    listen('job', (job) => {
      this.job = job;
      this.#tell('job', job);
    });
    source.addEventListener('error', () => this.#failed(source));
  }

  #failed(source) {
    if (source !== this.#source) return;
    // Where the browser would try again by itself, so do we: it alone knows neither why nor when to stop.
    source.close();
    this.#source = null;
    this.#missed = true;
    api.wall().then(
      // It answers, but twice gave no live connection: it has as many pages as it takes.
      () => this.#setStatus(this.#failures > 1 ? 'full' : 'connecting'),
      (error) => this.#setStatus(NAMES.get(error.status) ?? 'away', error),
    );
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#connect(), this.#retryMillis);
    this.#retryMillis = Math.min(this.#retryMillis * 2, LAST_RETRY_MILLIS);
  }

  #reconnect() {
    if (document.visibilityState === 'hidden') return;
    this.#missed = true;
    this.#retryMillis = FIRST_RETRY_MILLIS;
    this.#connect();
  }

  #watchdog() {
    if (this.#source && document.visibilityState === 'visible' && Date.now() - this.#heardAt > DEAD_MILLIS) {
      this.#reconnect();
    }
  }

  #visibility() {
    clearTimeout(this.#hiding);
    if (document.visibilityState === 'hidden') {
      this.#hiding = setTimeout(() => {
        this.#source?.close();
        this.#source = null;
        clearTimeout(this.#retry);
      }, HIDDEN_MILLIS);
    } else if (this.#source === null || Date.now() - this.#heardAt > SLEPT_MILLIS) {
      this.#reconnect();
    } else {
      this.#schedule();
    }
  }

  #hello(hello) {
    this.#clockOffset = hello.serverMillis - Date.now();
    this.#retryMillis = FIRST_RETRY_MILLIS;
    this.#failures = 0;
    const another = this.#instance !== null && this.#instance !== hello.instance;
    this.#instance = hello.instance;
    if (another || this.info === null) {
      api.wall().then((info) => {
        this.info = info;
        this.#tell('info', info);
      }, () => {});
    }
    this.#setStatus('live');
    if (another || this.#missed) this.#tell('reset', true);
    this.#missed = false;
  }

  #streams(news) {
    if (news.full) this.streams.clear();
    for (const stream of news.streams) this.streams.set(stream.id, stream);
    for (const id of news.gone ?? []) {
      this.streams.delete(id);
      this.notes.delete(id);
    }
    this.loaded = true;
    this.#tellStreams(news.full || news.gone?.length > 0 ? null : news.streams.map((stream) => stream.id));
  }

  #texts(texts) {
    for (const text of texts) {
      if (text.skipped || text.merged || text.clockReset || text.kind === 'ERROR') this.notes.set(text.stream, text);
    }
    const queued = this.#pending.get('texts') ?? [];
    if (queued.length + texts.length > MAX_QUEUED_TEXTS) {
      this.#pending.delete('texts');
      this.#tell('reset', true);
    } else {
      this.#tell('texts', queued.concat(texts));
    }
  }

  #committed(streams) {
    const changed = [];
    for (const [id, mark] of Object.entries(streams)) {
      const stream = this.streams.get(id);
      if (stream && stream.life === mark.life) {
        stream.committedChunk = mark.chunk;
        changed.push(id);
      }
    }
    this.#tellStreams(changed);
  }

  #setStatus(status, error = null) {
    this.error = error;
    if (this.status === status) return;
    this.status = status;
    this.#tell('status', status);
  }

  #tellStreams(ids) {
    const before = this.#pending.get('streams');
    if (ids === null || before === null) this.#tell('streams', null);
    else this.#tell('streams', new Set([...(before ?? []), ...ids]));
  }

  #tell(kind, news) {
    this.#pending.set(kind, news);
    this.#schedule();
  }

  /** Nothing is painted while nobody sees it: what came meanwhile is told at once afterwards. */
  #schedule() {
    if (this.#painting || this.#pending.size === 0 || document.visibilityState === 'hidden') return;
    this.#painting = true;
    requestAnimationFrame(() => {
      this.#painting = false;
      const pending = this.#pending;
      this.#pending = new Map();
      for (const [kind, news] of pending) {
        for (const listener of [...(this.#listeners.get(kind) ?? [])]) listener(news);
      }
    });
  }
}
