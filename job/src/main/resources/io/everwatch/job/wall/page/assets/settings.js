// SPDX-License-Identifier: Apache-2.0
// What this browser remembers: theme, density, sorting, keys. Nothing leaves it.
import { s } from './dom.js';

export function remembered(name, otherwise) {
  try {
    return localStorage.getItem(`everwatch.${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`everwatch.${name}`, value);
  } catch {
    // No storage allowed: it holds until the page is left.
  }
}

export const keysEnabled = () => remembered('keys', 'on') === 'on';

const THEMES = ['system', 'light', 'dark'];
const NAMES = { system: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' };
const PATHS = {
  system: 'M3 5h18v11H3zM8 20h8M12 16v4',
  light: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2.500M12 19.500V22M2 12h2.500M19.5 12H22M5 5l1.7 1.700M17.3 17.3 19 19M5 19l1.7-1.700M17.3 6.7 19 5',
  dark: 'M20 14.500A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.500Z',
};

export function themeButton(button) {
  let theme = remembered('theme', 'system');
  const show = () => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.replaceChildren(s('svg', { viewBox: '0 0 24 24', width: 20, height: 20, 'aria-hidden': 'true' }, s('path', { class: 'icon', d: PATHS[theme] ?? PATHS.system })));
    button.setAttribute('aria-label', NAMES[theme] ?? NAMES.system);
    button.title = NAMES[theme] ?? NAMES.system;
  };
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    remember('theme', theme);
    show();
    window.dispatchEvent(new Event('everwatch-theme'));
  });
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => window.dispatchEvent(new Event('everwatch-theme')));
  show();
}
