// SPDX-License-Identifier: Apache-2.0
// The texts of one stream as far as this page knows them: in order, each once, bounded.
import { identity } from './words.js';

/** An hour of seconds and some: what the longest timeline shows. */
const MAX_TEXTS = 4_000;

export class History {
  /** Oldest first. */
  texts = [];
  #seen = new Map();

  /** Adds texts; the last one of an identity counts. Forgets the far end: behind when live, ahead when one looks back. */
  add(texts, keepOldest = false) {
    let sorted = true;
    for (const text of texts) {
      const key = identity(text);
      const index = this.#seen.get(key);
      if (index !== undefined && this.texts[index] && identity(this.texts[index]) === key) {
        this.texts[index] = text;
        continue;
      }
      const last = this.texts.at(-1);
      if (last && order(last, text) > 0) sorted = false;
      this.#seen.set(key, this.texts.length);
      this.texts.push(text);
    }
    if (!sorted) this.texts.sort(order);
    if (this.texts.length > MAX_TEXTS) {
      this.texts = keepOldest ? this.texts.slice(0, MAX_TEXTS) : this.texts.slice(-MAX_TEXTS);
      sorted = false;
    }
    if (!sorted) this.#seen = new Map(this.texts.map((text, index) => [identity(text), index]));
  }

  clear() {
    this.texts = [];
    this.#seen.clear();
  }

  get oldestMicros() {
    return this.texts[0]?.startMicros ?? null;
  }

  get newestMicros() {
    return this.texts.at(-1)?.endMicros ?? null;
  }

  between(from, to) {
    return this.texts.slice(this.#lowest((text) => text.endMicros > from), this.#lowest((text) => text.startMicros >= to));
  }

  /** Index of the text whose second this is, or of the last one before it; -1: none. */
  indexAt(micros) {
    return this.#lowest((text) => text.startMicros > micros) - 1;
  }

  #lowest(holds) {
    let low = 0;
    let high = this.texts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.texts[middle])) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

const order = (a, b) => a.startMicros - b.startMicros || a.endMicros - b.endMicros;
