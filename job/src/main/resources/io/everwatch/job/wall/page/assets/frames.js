// SPDX-License-Identifier: Apache-2.0
// Pictures of what can be seen, few at a time: a tile never waits behind two hundred others.

const TICK_MILLIS = 200;
/** A tile that only flies past is not loaded. */
const SETTLE_MILLIS = 150;
const AFTER_FAILURE_MILLIS = 5_000;

/** Loads and decodes off the page; the promise has an image that is ready to be shown. */
export async function loadImage(url) {
  const image = new Image();
  image.decoding = 'async';
  image.alt = '';
  image.src = url;
  await image.decode();
  return image;
}

export class FrameLoader {
  #targets = new Map();
  #loading = 0;
  #timer = 0;
  #parallel;
  #intervalMillis;

  /**
   * @param parallel loads at a time
   * @param intervalMillis a target's pictures are at least so far apart
   */
  constructor(parallel = 4, intervalMillis = 1_000) {
    this.#parallel = parallel;
    this.#intervalMillis = intervalMillis;
    this.#timer = setInterval(() => this.#pump(), TICK_MILLIS);
  }

  /**
   * Keeps a target's picture current.
   *
   * @param wanted gives the address of the picture to show now, or null
   * @param show takes the decoded image
   * @param failed is told when it could not be had
   */
  watch(key, wanted, show, failed = () => {}) {
    const from = performance.now() - this.#intervalMillis + SETTLE_MILLIS;
    this.#targets.set(key, { wanted, show, failed, shown: null, from, busy: false });
  }

  unwatch(key) {
    this.#targets.delete(key);
  }

  close() {
    clearInterval(this.#timer);
    this.#targets.clear();
  }

  #pump() {
    if (document.visibilityState === 'hidden' || this.#loading >= this.#parallel) return;
    const now = performance.now();
    const due = [...this.#targets.values()]
      .filter((target) => !target.busy && now - target.from >= this.#intervalMillis)
      .sort((a, b) => a.from - b.from);
    for (const target of due) {
      if (this.#loading >= this.#parallel) return;
      const url = target.wanted();
      if (url !== null && url !== target.shown) this.#load(target, url, now);
    }
  }

  async #load(target, url, now) {
    target.busy = true;
    target.from = now;
    this.#loading += 1;
    const alive = () => [...this.#targets.values()].includes(target);
    try {
      const image = await loadImage(url);
      target.shown = url;
      if (alive()) target.show(image);
    } catch {
      target.from = now + AFTER_FAILURE_MILLIS;
      if (alive()) target.failed();
    } finally {
      target.busy = false;
      this.#loading -= 1;
      this.#pump();
    }
  }
}
