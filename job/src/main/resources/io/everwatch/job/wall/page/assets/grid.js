// SPDX-License-Identifier: Apache-2.0
// A list of any length of which only what is near the window is in the document.

const OVERSCAN_ROWS = 1;
/** Smaller than this, cells are better scrolled than all seen. */
const MIN_FITTING_WIDTH = 176;
/** Of a cell's width that a picture has at least: beyond, cells would be mostly margin. */
const MIN_FITTING_SHARE = 0.7;
const BELOW = 16;

export class VirtualGrid {
  #list;
  #cell;
  #items = [];
  #cells = new Map();
  #pool = [];
  #columns = 1;
  #width = 0;
  #height = 0;
  #gap = 0;
  #top = 0;
  #active = 0;
  #scheduled = false;
  #observer;
  #onScroll = () => this.#schedule();
  #onResize = () => this.layout();

  /**
   * @param list the <ul>; its style says how large cells are: `--tile-min`, `--tile-gap` (px), `--tile-body` (rem), `--tile-fit` (1: all in the window if they can)
   * @param cell `{create(): element, show(element, id), hide(element, id), aspect(): number}`
   */
  constructor(list, cell) {
    this.#list = list;
    this.#cell = cell;
    this.#observer = new ResizeObserver(() => this.layout());
    this.#observer.observe(list);
    window.addEventListener('scroll', this.#onScroll, { passive: true });
    window.addEventListener('resize', this.#onResize);
    list.addEventListener('keydown', (event) => this.#key(event));
    list.addEventListener('focusin', (event) => {
      const element = event.target.closest('li');
      if (element) this.#active = this.#items.indexOf(element.dataset.id);
    });
  }

  close() {
    this.#observer.disconnect();
    window.removeEventListener('scroll', this.#onScroll);
    window.removeEventListener('resize', this.#onResize);
    for (const [id, element] of this.#cells) this.#cell.hide(element, id);
    this.#cells.clear();
  }

  /** Elements now in the document, by ID. */
  get visible() {
    return this.#cells;
  }

  get hasFocus() {
    return this.#list.contains(document.activeElement);
  }

  setItems(ids) {
    const focused = this.hasFocus ? this.#items[this.#active] : undefined;
    this.#items = ids;
    if (focused !== undefined) this.#active = ids.indexOf(focused);
    this.#active = Math.max(0, Math.min(this.#active, ids.length - 1));
    this.layout();
  }

  /** Cells are as wide as their number in a row makes them, and all equally high. */
  layout() {
    const style = getComputedStyle(this.#list);
    const read = (name) => Number.parseFloat(style.getPropertyValue(name));
    const inner = this.#list.clientWidth;
    if (inner === 0) return;
    this.#gap = read('--tile-gap');
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const body = Math.round(read('--tile-body') * rem);
    this.#top = this.#list.getBoundingClientRect().top + window.scrollY;
    this.#columns = Math.max(1, Math.floor((inner + this.#gap) / (read('--tile-min') + this.#gap)));
    let picture = Infinity;
    const fitting = read('--tile-fit') === 1 ? this.#fitting(inner, body) : null;
    if (fitting) ({ columns: this.#columns, picture } = fitting);
    this.#width = this.#widthIn(inner, this.#columns);
    picture = Math.round(Math.min(picture, this.#width / this.#cell.aspect()));
    this.#height = picture + body;
    this.#list.style.setProperty('--tile-width', `${this.#width}px`);
    this.#list.style.setProperty('--tile-height', `${this.#height}px`);
    this.#list.style.setProperty('--picture-height', `${picture}px`);
    const rows = Math.ceil(this.#items.length / this.#columns);
    this.#list.style.height = `${Math.max(0, rows * (this.#height + this.#gap) - this.#gap)}px`;
    this.#render();
  }

  #widthIn(inner, columns) {
    return Math.floor((inner - this.#gap * (columns - 1)) / columns);
  }

  /** The columns with which all cells are seen without scrolling and pictures are largest; null: too many cells. */
  #fitting(inner, body) {
    const high = window.innerHeight - this.#top - BELOW;
    let best = null;
    for (let columns = 1; columns <= this.#items.length; columns++) {
      const width = this.#widthIn(inner, columns);
      const rows = Math.ceil(this.#items.length / columns);
      const natural = width / this.#cell.aspect();
      const picture = Math.min((high - this.#gap * (rows - 1)) / rows - body, natural);
      if (width < MIN_FITTING_WIDTH) break;
      if (picture >= natural * MIN_FITTING_SHARE && (best === null || picture > best.picture)) best = { columns, picture };
    }
    return best;
  }

  get cellWidth() {
    return this.#width;
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#render();
    });
  }

  #render() {
    const step = this.#height + this.#gap;
    const above = window.scrollY - this.#top;
    const first = Math.max(0, Math.floor(above / step) - OVERSCAN_ROWS) * this.#columns;
    const last = Math.min(
        this.#items.length, (Math.ceil((above + window.innerHeight) / step) + OVERSCAN_ROWS) * this.#columns);
    const wanted = new Map();
    for (let i = first; i < last; i++) wanted.set(this.#items[i], i);
    const active = this.#items[this.#active];
    // What has the focus stays, wherever it is scrolled to: the keyboard would lose its place.
    if (this.hasFocus && active !== undefined) wanted.set(active, this.#active);
    for (const [id, element] of this.#cells) {
      if (wanted.has(id)) continue;
      this.#cell.hide(element, id);
      this.#cells.delete(id);
      this.#pool.push(element);
    }
    let previous = null;
    for (const [id, index] of [...wanted].sort((a, b) => a[1] - b[1])) {
      previous = this.#place(id, index, previous);
    }
    for (const element of this.#pool) element.remove();
    this.#pool.length = Math.min(this.#pool.length, 64);
  }

  #place(id, index, previous) {
    let element = this.#cells.get(id);
    if (!element) {
      element = this.#pool.pop() ?? this.#cell.create();
      this.#cells.set(id, element);
      element.dataset.id = id;
      this.#cell.show(element, id);
    }
    const x = (index % this.#columns) * (this.#width + this.#gap);
    const y = Math.floor(index / this.#columns) * (this.#height + this.#gap);
    const transform = `translate(${x}px, ${y}px)`;
    if (element.style.transform !== transform) element.style.transform = transform;
    if (element.getAttribute('aria-posinset') !== String(index + 1)) element.setAttribute('aria-posinset', index + 1);
    if (element.getAttribute('aria-setsize') !== String(this.#items.length)) element.setAttribute('aria-setsize', this.#items.length);
    element.querySelector('a').tabIndex = index === this.#active ? 0 : -1;
    // In the order of the list, for the Tab key and for readers.
    const next = previous ? previous.nextSibling : this.#list.firstChild;
    if (next !== element) this.#list.insertBefore(element, next);
    return element;
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const rows = Math.max(1, Math.floor(window.innerHeight / (this.#height + this.#gap)));
    const moves = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.#columns, ArrowDown: this.#columns,
      PageUp: -this.#columns * rows, PageDown: this.#columns * rows, Home: -this.#items.length, End: this.#items.length,
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    this.focus(Math.max(0, Math.min(this.#items.length - 1, this.#active + move)));
  }

  focus(index) {
    this.#active = index;
    const y = this.#top + Math.floor(index / this.#columns) * (this.#height + this.#gap);
    const header = 120;
    if (y < window.scrollY + header) window.scrollTo({ top: y - header });
    else if (y + this.#height > window.scrollY + window.innerHeight) window.scrollTo({ top: y + this.#height + this.#gap - window.innerHeight });
    this.#render();
    this.#cells.get(this.#items[index])?.querySelector('a').focus({ preventScroll: true });
  }
}
