// SPDX-License-Identifier: Apache-2.0
// Recorded clips with their captions, in the browser's own player.
import { h } from './dom.js';
import { bytes } from './format.js';
import { api } from './api.js';
import { errorView, loadingView, stateView } from './states.js';

const MAKE = [['Captions for a clip, beside it', './everwatch caption clip.mp4 --format vtt > clips/clip.vtt'], ['A wall that shows the folder', './everwatch serve --brokers localhost:9092 --clips clips']];

const address = (name) => `/clips/${encodeURIComponent(name)}`;

export function clipsPage({ main }) {
  const body = h('div', {}, loadingView('Looking for clips'));
  main.append(h('div', { class: 'clips-page' }, h('div', { class: 'bar' }, h('h1', {}, 'Clips')), body));
  api.clips().then(({ clips }) => {
    body.replaceChildren(clips.length === 0
      ? stateView('No clips', ['The folder of clips has no video in it. Put X.mp4 there, and its captions beside it as X.vtt.'], MAKE, 'h2')
      : h('ul', { class: 'clip-list' }, clips.map((clip) => h('li', {}, h('a', { href: `/clips/view/${encodeURIComponent(clip.name)}` }, clip.name), h('span', { class: 'hint' }, `${bytes(clip.bytes)}${clip.captions ? ', with captions' : ', no captions'}`)))));
  }, (error) => body.replaceChildren(error.status === 404 ? stateView('No clips', ['This wall was started without a folder of clips.'], MAKE, 'h2') : errorView(error, 'The clips cannot be listed', 'h2')));
  return { title: 'Clips' };
}

export function clipPage({ main, go }, name) {
  const body = h('div', {}, loadingView('Opening the clip'));
  main.append(h('div', { class: 'clips-page' }, h('div', { class: 'bar' }, h('h1', {}, name)), body));
  api.clips().then(({ clips }) => {
    const clip = clips.find((candidate) => candidate.name === name);
    body.replaceChildren(clip ? player(clip) : stateView('There is no such clip', [`No clip is called ${name}. It may have been moved.`], [], 'h2'));
  }, (error) => body.replaceChildren(errorView(error, 'The clip cannot be opened', 'h2')));
  return {
    title: name,
    key(event) {
      if (event.key !== 'Escape') return false;
      go('/clips');
      return true;
    },
  };
}

function player(clip) {
  const video = h('video', { controls: true, preload: 'metadata', src: address(clip.name), 'aria-label': clip.name },
      clip.captions ? h('track', { kind: 'captions', src: `${address(clip.name)}.vtt`, srclang: 'en', label: 'What Everwatch said', default: true }) : null);
  const failed = h('p', { class: 'hint', hidden: true }, 'The browser cannot play this file. H.264 in MP4 plays everywhere: ffmpeg -i IN -c:v libx264 OUT.mp4');
  video.addEventListener('error', () => { failed.hidden = false; });
  const track = video.querySelector('track');
  // Read at once, not only when it first plays.
  if (track) track.track.mode = 'showing';
  const lines = h('ol', { class: 'lines', 'aria-label': 'Captions' });
  track?.addEventListener('load', () => {
    lines.replaceChildren(...[...track.track.cues].map((cue) => h('li', { class: 'line', 'data-tone': 'said' },
        h('button', { type: 'button', on: { click: () => { video.currentTime = cue.startTime; } } }, h('span', { class: 'line-time' }, stamp(cue.startTime)), h('span', { class: 'line-text' }, cue.getCueAsHTML().textContent)))));
  });
  track?.track.addEventListener('cuechange', () => {
    const active = new Set(track.track.activeCues ?? []);
    [...track.track.cues].forEach((cue, i) => lines.children[i]?.setAttribute('aria-current', active.has(cue)));
  });
  return h('div', { class: 'clip-layout' }, h('div', {}, video, h('p', { class: 'hint' }, bytes(clip.bytes), clip.captions ? ' · ' : '', clip.captions ? h('a', { href: `${address(clip.name)}.vtt`, download: '' }, 'captions as WebVTT') : ' · no captions beside it'), failed), clip.captions ? h('section', { class: 'said', 'aria-label': 'Captions' }, lines) : null);
}

const stamp = (seconds) => `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
