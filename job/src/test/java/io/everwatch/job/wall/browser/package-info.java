// SPDX-License-Identifier: Apache-2.0
/**
 * The live wall in a real browser: headless Chromium, driven over its DevTools protocol, against a
 * simulated wall ({@link io.everwatch.job.wall.browser.FakeWall}) or a real one. Skipped where
 * there is no Chromium; with {@code -Deverwatch.requireBrowser=true} that is a failure.
 */
@NullMarked
package io.everwatch.job.wall.browser;

import org.jspecify.annotations.NullMarked;
