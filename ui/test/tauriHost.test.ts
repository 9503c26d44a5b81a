import { mockIPC } from '@tauri-apps/api/mocks';
import { afterEach, describe, expect, it } from 'vitest';
import { createApi } from '../src/lib/api/client';
import { ApiProblem } from '../src/lib/api/problem';
import { tauriHost } from '../src/lib/host/tauri';

/** The shell's side of the bridge: `status` in two bytes, then the body. */
const answer = (status: number, body: string) => {
  const text = new TextEncoder().encode(body);
  const bytes = new Uint8Array(2 + text.length);
  bytes.set([status >> 8, status & 0xff]);
  bytes.set(text, 2);
  return bytes.buffer;
};

describe('the host in the app', () => {
  afterEach(() => {
    delete (globalThis as Record<string, unknown>).__TAURI_INTERNALS__;
  });

  it('calls the control API through the one command, with raw bytes both ways', async () => {
    const seen: unknown[] = [];
    mockIPC((command, payload) => {
      seen.push([command, new TextDecoder().decode(payload as unknown as Uint8Array)]);
      return answer(200, '{"name":"mac"}');
    });
    await expect(createApi(tauriHost()).previewLink('tieline://join#x')).resolves.toEqual({ name: 'mac' });
    expect(seen).toEqual([['api', '{"link":"tieline://join#x"}']]);
  });

  it('takes the status from the bytes', async () => {
    mockIPC(() => answer(404, '{"code":"PEER_NOT_FOUND","summary":"s","cause":"c","remedy":"r"}'));
    await expect(createApi(tauriHost()).peer('x')).rejects.toMatchObject({ status: 404, problem: { code: 'PEER_NOT_FOUND' } });
  });

  it('passes a problem of the shell on', async () => {
    mockIPC(() => {
      throw { code: 'INTERNAL', summary: 'The clipboard cannot be used', cause: 'c', remedy: 'r' };
    });
    const error = await tauriHost().paste().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiProblem);
    expect((error as ApiProblem).problem.summary).toBe('The clipboard cannot be used');
  });
});
