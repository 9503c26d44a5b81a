import { cleanup } from '@testing-library/svelte';
import { afterEach } from 'vitest';

/** jsdom lays nothing out: everything that is watched is said to be this tall, so that lists show some rows. */
if (typeof window !== 'undefined') {
  globalThis.ResizeObserver = class {
    constructor(private readonly told: ResizeObserverCallback) {}
    observe(target: Element) {
      const contentRect = new DOMRect(0, 0, 600, target.hasAttribute('tabindex') ? 600 : 60);
      Object.defineProperty(target, 'offsetParent', { value: document.body, configurable: true });
      queueMicrotask(() => this.told([{ target, contentRect } as unknown as ResizeObserverEntry], this));
    }
    unobserve() {}
    disconnect() {}
  };
}

afterEach(() => {
  cleanup();
  // A test of the scripts runs without a page.
  if (typeof location !== 'undefined') location.hash = '';
});
