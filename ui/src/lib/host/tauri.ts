import { Channel, invoke } from '@tauri-apps/api/core';
import { ApiProblem, problemFrom } from '../api/problem';
import type { Host, HostFacts, HostSignal, InstalledCommand, RawAnswer } from './host';

/** The app's window: requests travel in-process, so nothing of them is on a socket. */
export function tauriHost(): Host {
  return {
    kind: 'app',
    async request(method, path, body) {
      const bytes = await invoke<ArrayBuffer | number[]>('api', body ?? new Uint8Array(), {
        headers: { 'x-method': method, 'x-path': path },
      });
      return splitAnswer(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : Uint8Array.from(bytes));
    },
    events(after, deliver) {
      let open = true;
      const channel = new Channel<HostSignal>();
      channel.onmessage = (signal) => {
        if (open) deliver(signal);
      };
      invoke('events', { after: after ?? null, channel }).catch(() => open && deliver({ type: 'lost' }));
      return () => {
        open = false;
      };
    },
    copy: (text, options) => ask('clipboard_write', { text, secret: options?.secret ?? false }),
    paste: () => ask<string>('clipboard_read'),
    facts: () => ask<HostFacts>('shell_facts'),
    offeredLink: () => ask<string | null>('offered_link'),
    startAtLogin: (on) => ask('start_at_login', { on }),
    installCommandLine: () => ask<InstalledCommand>('install_command_line'),
    restart: () => ask('restart'),
    quit: () => ask('quit'),
  };
}

/** Calls a command of the shell. It fails with a problem of the engine's form. */
async function ask<T = void>(command: string, args?: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(command, args);
  } catch (error) {
    if (typeof error === 'object') throw new ApiProblem(problemFrom(error, 0), 0);
    throw error;
  }
}

/** The command's answer is the status as two bytes, big endian, and then the body. */
export function splitAnswer(bytes: Uint8Array): RawAnswer {
  const [high, low] = bytes;
  if (high === undefined || low === undefined) throw new Error('the answer has no status');
  return { status: high * 256 + low, body: bytes.subarray(2) };
}
