import { cleanup } from '@testing-library/svelte';
import { afterEach } from 'vitest';

afterEach(() => {
  cleanup();
  // A test of the scripts runs without a page.
  if (typeof location !== 'undefined') location.hash = '';
});
