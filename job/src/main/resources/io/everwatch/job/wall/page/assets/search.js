// SPDX-License-Identifier: Apache-2.0
// Search in what a stream said, as one types.
import { h, setText } from './dom.js';
import { api } from './api.js';
import { momentOf, plural } from './format.js';
import { replaceLines, resultLine } from './transcript.js';

const PAUSE_MILLIS = 250;
const PAGE = 50;
const MAX_RESULTS = 500;

export class Search {
  #id;
  #store;
  #jump;
  #changed;
  #results = [];
  #more = false;
  #from = null;
  #timer = 0;
  #abort = null;
  #list = h('ol', { class: 'lines', 'aria-label': 'Matches' });
  #older = h('button', { type: 'button', class: 'button', on: { click: () => this.#ask(this.#results.at(-1)?.startMicros) } }, 'Older matches');

  /** @param changed told when results take the transcript's place, and when they give it back */
  constructor(id, store, jump, changed) {
    this.#id = id;
    this.#store = store;
    this.#jump = jump;
    this.#changed = changed;
    this.input = h('input', { type: 'search', placeholder: 'Search what was said', 'aria-label': 'Search what was said', maxlength: 200, autocomplete: 'off', spellcheck: 'false', on: { input: () => this.#typed() } });
    this.summary = h('p', { class: 'search-summary', role: 'status' });
    this.node = h('div', { class: 'results', hidden: true }, this.#list, this.#older);
  }

  get active() {
    return this.input.value.trim() !== '';
  }

  clear() {
    this.input.value = '';
    this.#typed();
  }

  close() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }

  show(selected) {
    replaceLines(this.#list, this.#results.map((result) => resultLine(result, selected, this.#store.now(), this.#jump)));
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    if (!this.active) {
      this.#results = [];
      this.node.hidden = true;
      setText(this.summary, '');
      this.#changed();
      return;
    }
    this.#timer = setTimeout(() => this.#ask(), PAUSE_MILLIS);
  }

  async #ask(before) {
    this.#abort = new AbortController();
    const q = this.input.value.trim();
    try {
      const answer = await api.search({ q, stream: this.#id, before, limit: PAGE }, this.#abort.signal);
      this.#results = (before === undefined ? [] : this.#results).concat(answer.results).slice(0, MAX_RESULTS);
      this.#more = answer.more && this.#results.length < MAX_RESULTS;
      this.#from = answer.searchedFromMicros;
      setText(this.summary, this.#summary(q));
    } catch (error) {
      if (error.name === 'AbortError') return;
      setText(this.summary, `${error.message} ${error.hint ?? ''}`);
      this.#results = [];
    }
    this.#older.hidden = !this.#more;
    this.node.hidden = false;
    this.#changed();
  }

  #summary(q) {
    const back = this.#from ? `, back to ${momentOf(this.#from / 1000, this.#store.now())}` : '';
    if (this.#results.length === 0) return `Nothing with “${q}”${back}. Words may stand in any order; fewer find more.`;
    return `${plural(this.#results.length, 'match', 'matches')}${this.#more ? ' so far' : ''}${back}`;
  }
}
