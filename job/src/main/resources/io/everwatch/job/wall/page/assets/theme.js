// SPDX-License-Identifier: Apache-2.0
// Before anything is painted: the theme that was chosen here, so that no page flashes in the other one.
'use strict';
(() => {
  try {
    const theme = localStorage.getItem('everwatch.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // No storage allowed: the system's theme.
  }
})();
