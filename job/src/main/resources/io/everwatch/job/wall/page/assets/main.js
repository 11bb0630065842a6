// SPDX-License-Identifier: Apache-2.0
// The frame around all pages: which one the address means, navigation, connection, theme, keys.
import { h, setData, setText } from './dom.js';
import { Store } from './store.js';
import { CONNECTION, stateView } from './states.js';
import { keysEnabled, themeButton } from './settings.js';
import { wallPage } from './wall.js';
import { streamPage } from './stream.js';
import { memoryPage } from './memory.js';
import { jobPage } from './job.js';
import { clipPage, clipsPage } from './clips.js';
import { helpPage } from './help.js';

const store = new Store();
const main = document.getElementById('main');
/** Pages: address, name in the navigation, and what shows it; a page returns `{title, close, key}`. */
const ROUTES = [
  [/^\/$/, wallPage],
  [/^\/streams\/([^/]+)$/, streamPage],
  [/^\/streams\/([^/]+)\/memory$/, memoryPage],
  [/^\/job$/, jobPage],
  [/^\/clips$/, clipsPage],
  [/^\/clips\/view\/([^/]+)$/, clipPage],
  [/^\/help$/, helpPage],
];

let page = null;
let shownPath = null;

export function go(path, replace = false) {
  if (path === location.pathname + location.search) return;
  history[replace ? 'replaceState' : 'pushState']({}, '', path);
  show();
}

function show() {
  const path = location.pathname;
  page?.close?.();
  main.replaceChildren();
  const first = shownPath === null;
  shownPath = path;
  const route = ROUTES.find(([pattern]) => pattern.test(path));
  if (route) {
    const parameters = path.match(route[0]).slice(1).map(decodeURIComponent);
    page = route[1]({ main, store, go }, ...parameters);
  } else {
    main.append(stateView('There is no such page', ['The address may be mistyped. The wall has all streams.']));
    page = { title: 'No such page' };
  }
  document.title = page.title === 'Everwatch' ? page.title : `${page.title} · Everwatch`;
  navigation();
  if (!first) {
    window.scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

function navigation() {
  const pages = [['/', 'Wall'], ['/job', 'Job']];
  if (store.info?.clips || location.pathname.startsWith('/clips')) pages.push(['/clips', 'Clips']);
  document.getElementById('help').toggleAttribute('data-here', location.pathname === '/help');
  const within = (path) => (path === '/' ? /^\/(streams\/|$)/.test(location.pathname) : location.pathname.startsWith(path));
  document.getElementById('nav').replaceChildren(...pages.map(([path, name]) =>
    h('li', {}, h('a', { href: path, 'aria-current': within(path) ? (location.pathname === path ? 'page' : 'true') : null }, name))));
}

function connection() {
  const line = document.getElementById('connection');
  // The server is there, but nothing new comes to it.
  const deaf = store.status === 'live' && store.job?.readers?.text?.connected === false;
  const status = deaf ? 'broker' : store.status;
  setData(line, 'status', status);
  setText(line, CONNECTION[status]);
  line.title = store.error ? `${store.error.message} ${store.error.hint ?? ''}` : '';
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="/"]');
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plain || event.defaultPrevented || link.download || link.target) return;
  // Downloads, clips themselves and whatever else is the server's stay the browser's.
  if (!ROUTES.some(([pattern]) => pattern.test(link.pathname))) return;
  event.preventDefault();
  go(link.getAttribute('href'));
});

document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input:not([type=range]), textarea, select');
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key !== 'Escape' && (typing || !keysEnabled())) return;
  if (page?.key?.(event)) {
    event.preventDefault();
    return;
  }
  const global = { 1: '/', 2: '/job', 3: store.info?.clips ? '/clips' : null, '?': '/help' }[event.key];
  if (global) {
    event.preventDefault();
    go(global);
  } else if (event.key === 't') {
    document.getElementById('theme').click();
  }
});

window.addEventListener('popstate', show);
store.on('status', connection);
store.on('job', connection);
store.on('info', navigation);
themeButton(document.getElementById('theme'));
connection();
show();
store.start();
