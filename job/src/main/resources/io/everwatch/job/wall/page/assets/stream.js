// SPDX-License-Identifier: Apache-2.0
// One stream in large: what it sees, what it says, and the way back to any moment that is kept.
import { h, setData, setHidden, setText } from './dom.js';
import { clockOf, duration, momentOf, timeNode } from './format.js';
import { api, urls, widthFor } from './api.js';
import { FrameLoader, loadImage } from './frames.js';
import { History } from './history.js';
import { Search } from './search.js';
import { errorView, loadingView } from './states.js';
import { streamHeader } from './streamheader.js';
import { Timeline } from './timeline.js';
import { replaceLines, transcriptLines } from './transcript.js';
import { isSpoken, lineOf, remarksOf, stateLine, toneOf } from './words.js';

const SECOND = 1_000_000;
const SPANS = { 60: '1 min', 300: '5 min', 900: '15 min', 3600: '1 h' };
const MAX_TEXTS = 1_000;

export function streamPage({ main, store, go }, id) {
  const page = new StreamPage(store, go, id);
  main.append(page.node);
  page.start();
  return { title: id, close: () => page.close(), key: (event) => page.key(event) };
}

class StreamPage {
  #store;
  #go;
  #id;
  #history = new History();
  /** The moment looked at, microseconds; null: follow what happens now. */
  #position = null;
  #end = null;
  #span = 300;
  #loader = new FrameLoader(1, 400);
  #offs = [];
  #loadingFrame = null;
  #nextFrame = null;
  #asked = null;
  /** Whether the server has told what it has of this stream. */
  #known = false;
  #timer = 0;

  constructor(store, go, id) {
    this.#store = store;
    this.#go = go;
    this.#id = id;
    this.header = streamHeader(id, 'watch');
    this.frame = h('div', { class: 'stage-frame' });
    this.missing = h('p', { class: 'stage-missing', hidden: true });
    this.time = h('time', { class: 'stage-time' });
    this.line = h('p', { class: 'stage-text' });
    this.remarks = h('p', { class: 'stage-remarks' });
    this.live = h('button', { type: 'button', class: 'button live-button', on: { click: () => this.follow() } }, 'Follow live');
    this.timeline = new Timeline((micros) => this.seek(micros), (micros) => urls.frameAt(id, micros, 160));
    this.search = new Search(id, store, (micros) => this.seek(micros), () => this.#showLines());
    this.lines = h('ol', { class: 'lines', 'aria-label': 'What was said, newest first' });
    this.vtt = h('a', { class: 'quiet-link', download: '' }, 'WebVTT');
    this.srt = h('a', { class: 'quiet-link', download: '' }, 'SubRip');
    this.spans = h('div', { class: 'segments', role: 'group', 'aria-label': 'Length of the timeline' },
        Object.entries(SPANS).map(([seconds, name]) => h('button', { type: 'button', 'data-span': seconds, on: { click: () => this.#setSpan(Number(seconds)) } }, name)));
    this.problem = h('div', { class: 'empty', hidden: true });
    this.content = h('div', { class: 'stream-layout' },
        h('section', { class: 'stage', 'aria-label': 'Picture and text' },
            h('div', { class: 'stage-picture' }, this.frame, this.missing),
            h('div', { class: 'stage-caption' }, h('div', { class: 'stage-moment' }, this.time, this.live), this.line, this.remarks),
            this.timeline.node,
            h('div', { class: 'timeline-foot' }, this.spans, h('p', { class: 'export' }, 'Captions of this span: ', this.vtt, ' ', this.srt))),
        h('section', { class: 'said', 'aria-labelledby': 'said' },
            h('h2', { id: 'said' }, 'What was said'), this.search.input, this.search.summary, this.search.node, this.lines));
    this.node = h('div', { class: 'stream-page' }, this.header.node, this.problem, this.content);
  }

  start() {
    this.content.hidden = true;
    this.problem.hidden = false;
    this.problem.replaceChildren(loadingView('Reading what was said'));
    this.#loader.watch('live', () => this.#liveUrl(), (image) => {
      if (this.#position === null) this.#showFrame(image, this.#store.now());
    });
    this.#offs = [
      this.#store.on('streams', (ids) => (ids === null || ids.has(this.#id)) && (this.#known && this.content.hidden ? this.#reveal() : this.#streamChanged())),
      this.#store.on('texts', (texts) => this.#heard(texts.filter((text) => text.stream === this.#id))),
      this.#store.on('reset', () => this.#load({}, true)),
      // Only now is the server's clock known.
      this.#store.on('status', () => !this.content.hidden && this.#show()),
    ];
    this.#timer = setInterval(() => document.visibilityState === 'visible' && this.#streamChanged(), 1_000);
    this.#setSpan(300);
    this.#load();
  }

  close() {
    clearInterval(this.#timer);
    this.#offs.forEach((off) => off());
    this.#loader.close();
    this.timeline.close();
    this.search.close();
  }

  get #stream() {
    return this.#store.streams.get(this.#id);
  }

  /** @param afresh something was missed: what is here may have a hole before the newest */
  async #load(bounds = {}, afresh = false) {
    try {
      const answer = await api.texts(this.#id, { limit: MAX_TEXTS, ...bounds });
      if (afresh && this.#position === null) {
        this.#history.clear();
        this.#asked = null;
      }
      this.#history.add(answer.texts, this.#position !== null);
      this.#reveal();
    } catch (error) {
      if (this.#history.texts.length > 0) return;
      const unknown = error.status === 404;
      this.problem.replaceChildren(errorView(error, unknown ? `No stream is called ${this.#id}` : 'The text cannot be read', 'h2'));
      setHidden(this.problem, false);
    }
  }

  #heard(texts) {
    if (texts.length === 0) return;
    this.#history.add(texts, this.#position !== null);
    this.#reveal();
  }

  /** Once the shape of the picture is known too: nothing moves when it comes. */
  #reveal() {
    this.#known = true;
    if (!this.#store.loaded) return;
    setHidden(this.problem, true);
    setHidden(this.content, false);
    this.#show();
  }

  #liveUrl() {
    const frame = this.#stream?.frame;
    return this.#position === null && frame ? urls.newestFrame(this.#id, frame.sequence) : null;
  }

  follow() {
    this.#position = null;
    this.#end = null;
    this.#show();
  }

  /** Shows the second of a moment, and the timeline around it. */
  seek(micros) {
    const newest = this.#history.newestMicros ?? micros;
    if (micros >= newest) {
      this.follow();
      return;
    }
    const [from, to] = this.#window();
    this.#position = micros;
    if (this.#end === null) this.#end = to;
    if (micros < from || micros > to) this.#end = Math.min(newest, micros + (this.#span * SECOND) / 2);
    this.#loadFrame(urls.frameAt(this.#id, micros, widthFor(this.frame.clientWidth)), micros);
    this.#show();
    this.#loadMissing();
  }

  /** Reads what the timeline shows and is not here yet. */
  #loadMissing() {
    const [from] = this.#window();
    const oldest = this.#history.oldestMicros;
    if (oldest === null || from >= oldest || this.#asked === oldest) return;
    this.#asked = oldest;
    const around = this.#position !== null && this.#position < oldest - MAX_TEXTS * SECOND / 2;
    this.#load(around ? { after: Math.round(from), before: Math.round(from + this.#span * SECOND + SECOND) } : { before: oldest });
  }

  #setSpan(seconds) {
    this.#span = seconds;
    for (const button of this.spans.children) button.setAttribute('aria-pressed', String(Number(button.dataset.span) === seconds));
    if (this.#history.texts.length > 0) {
      if (this.#position !== null) this.#end = Math.min(this.#history.newestMicros, Math.max(this.#end ?? 0, this.#position + (seconds * SECOND) / 2));
      this.#show();
      this.#loadMissing();
    }
  }

  #window() {
    const end = this.#end ?? this.#history.newestMicros ?? this.#store.now() * 1000;
    return [end - this.#span * SECOND, end];
  }

  #show() {
    this.#streamChanged();
    const [from, to] = this.#window();
    const live = this.#position === null;
    const position = live ? to : this.#position;
    const text = this.#history.texts[live ? this.#history.texts.length - 1 : this.#history.indexAt(this.#position)];
    this.timeline.show({ texts: this.#history.between(from, to), from, to, position, live, aspect: this.#aspect });
    setHidden(this.live, live);
    setData(this.node, 'following', String(live));
    this.#showText(text, live);
    this.#showLines(text);
    for (const [link, format] of [[this.vtt, 'vtt'], [this.srt, 'srt']]) link.href = urls.captions(this.#id, format, from, to);
  }

  /** The line under the picture: in silence the sentence before stays, as past. */
  #showText(text, live) {
    if (!text) {
      setText(this.line, 'No text yet');
      setData(this.line, 'tone', 'quiet');
      return;
    }
    const index = this.#history.texts.lastIndexOf(text);
    let shown = text;
    if (text.kind === 'SILENCE') {
      shown = this.#history.texts.slice(Math.max(0, index - 60), index).reverse().find(isSpoken) ?? text;
    }
    timeNode((live ? text.endMicros : this.#position) / 1000, this.time, (millis) => momentOf(millis, this.#store.now()));
    setText(this.line, lineOf(shown));
    setData(this.line, 'tone', shown === text ? toneOf(text) : 'past');
    const remarks = remarksOf(text, this.#history.texts[index - 1]);
    if (shown !== text) remarks.unshift(`said at ${clockOf(shown.startMicros / 1000)}, quiet since`);
    if (live && text.lagMillis !== null && text.lagMillis !== undefined) remarks.push(`${duration(text.lagMillis)} after its last frame`);
    setText(this.remarks, remarks.join(' · '));
  }

  #showLines(selected = this.#position === null ? null : this.#history.texts[this.#history.indexAt(this.#position)]) {
    setHidden(this.lines, this.search.active && !this.search.node.hidden);
    if (this.search.active) {
      this.search.show(selected);
      return;
    }
    const stream = this.#stream;
    const committed = stream ? { life: stream.life, chunk: stream.committedChunk ?? -1 } : undefined;
    const until = this.#end ?? Infinity;
    const chosen = this.#position === null ? null : selected;
    replaceLines(this.lines, transcriptLines(this.#history.between(-Infinity, until), chosen, committed, this.#store.now(), (micros) => this.seek(micros + 1)));
  }

  #streamChanged() {
    const stream = this.#stream;
    if (!stream) return;
    if (stream.frame) {
      this.#aspect = stream.frame.width / stream.frame.height;
      this.frame.style.setProperty('--aspect', this.#aspect);
      this.frame.parentElement.style.setProperty('--aspect', this.#aspect);
    }
    this.header.update(stream, stateLine(stream, this.#store.now()));
  }

  #aspect = undefined;

  /** The newest wish wins, one load at a time: a hand that scrubs does not leave a queue behind. */
  async #loadFrame(url, micros) {
    this.#nextFrame = { url, micros };
    if (this.#loadingFrame) return;
    while (this.#nextFrame) {
      const wish = this.#nextFrame;
      this.#nextFrame = null;
      this.#loadingFrame = wish;
      try {
        const image = await loadImage(wish.url);
        if (this.#position !== null) this.#showFrame(image, wish.micros / 1000);
      } catch {
        if (this.#position !== null) this.#showMissing();
      }
    }
    this.#loadingFrame = null;
  }

  #showFrame(image, millis) {
    image.alt = `${this.#id} at ${clockOf(millis)}`;
    setHidden(this.missing, true);
    this.frame.replaceChildren(image);
  }

  #showMissing() {
    this.frame.replaceChildren();
    setText(this.missing, 'This frame is not kept any more. The text of its second is; the frames topic keeps pictures for a shorter time.');
    setHidden(this.missing, false);
  }

  key(event) {
    const texts = this.#history.texts;
    if (event.key === '/') this.search.input.focus();
    else if (event.key === 'l') this.follow();
    else if (event.key === 'm') this.#go(urls.memoryPage(this.#id));
    else if (event.key === 'Escape') this.#escape();
    else if (event.target.closest?.('input, button, a') && !event.shiftKey) return false;
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      const step = event.key === 'ArrowLeft' ? -1 : 1;
      const from = this.#position ?? this.#history.newestMicros;
      if (from === null) return false;
      if (!event.shiftKey) this.seek(from + step * SECOND);
      else {
        let index = this.#history.indexAt(from - 1) + step;
        while (texts[index] && !isSpoken(texts[index])) index += step;
        if (texts[index]) this.seek(texts[index].startMicros + 1);
      }
    } else return false;
    return true;
  }

  #escape() {
    if (this.search.active) this.search.clear();
    else if (this.#position !== null) this.follow();
    else this.#go('/');
  }
}

