import { isTauri } from '@tauri-apps/api/core';
import { browserHost } from './browser';
import type { Host } from './host';
import { openSession } from './session';
import { tauriHost } from './tauri';

export type { Host, HostFacts, HostSignal, RawAnswer } from './host';

/** The host this page runs in. */
export function detectHost(): Host {
  if (isTauri()) return tauriHost();
  return browserHost(location.origin, openSession(location.origin));
}
