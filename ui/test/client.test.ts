import { describe, expect, it } from 'vitest';
import { createApi, queryString } from '../src/lib/api/client';
import { ApiProblem, problemFrom } from '../src/lib/api/problem';
import { sseData } from '../src/lib/host/browser';
import { splitAnswer } from '../src/lib/host/tauri';
import { FakeHost, Refusal } from './fakeHost';
import { peer, refused } from './fixtures';

const bytes = (text: string) => new TextEncoder().encode(text);
const failing = (work: () => Promise<unknown>) =>
  work().then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error as ApiProblem,
  );

describe('client', () => {
  it('sends JSON and reads JSON', async () => {
    const host = new FakeHost({ 'POST /control/join/preview': () => ({ name: 'mac' }) });
    await expect(createApi(host).previewLink('tieline://join#x')).resolves.toEqual({ name: 'mac' });
    expect(host.asked).toEqual([
      { method: 'POST', path: '/control/join/preview', body: { link: 'tieline://join#x' } },
    ]);
  });

  it('escapes what goes into a path', async () => {
    const host = new FakeHost({ 'GET /control/peers/a%2F..%2Fb': () => peer() });
    await createApi(host).peer('a/../b');
    expect(host.asked[0]?.path).toBe('/control/peers/a%2F..%2Fb');
  });

  it('leaves unset fields out of a query', () => {
    expect(queryString({ peer: 'a b', search: '', before: 0, limit: undefined })).toBe('?peer=a%20b&before=0');
    expect(queryString({})).toBe('');
  });

  it('takes an empty answer for nothing', async () => {
    const host = new FakeHost({ 'DELETE /control/peers/box': () => undefined });
    await expect(createApi(host).unpair('box')).resolves.toBeUndefined();
  });

  it('throws the problem of a refusal, with what else was answered', async () => {
    const host = new FakeHost({
      'POST /control/peers/box/ping': () => {
        throw new Refusal(502, { problem: refused(), attempts: [{ route: 'lan' }] });
      },
    });
    const error = await failing(() => createApi(host).ping('box'));
    expect(error).toBeInstanceOf(ApiProblem);
    expect(error.problem.code).toBe('CONNECT_REFUSED');
    expect(error.problem.remedy).not.toBe('');
    expect(error.status).toBe(502);
    expect(error.body).toMatchObject({ attempts: [{ route: 'lan' }] });
  });

  it('says that nothing answered when the host fails', async () => {
    const host = { request: () => Promise.reject(new Error('the pipe is closed')) };
    const error = await failing(() => createApi(host).status());
    expect(error.problem).toMatchObject({ code: 'NOT_RUNNING', cause: 'the pipe is closed' });
  });

  it('does not choke on an error that is not JSON', async () => {
    const host = { request: async () => ({ status: 500, body: bytes('<html>oops</html>') }) };
    const error = await failing(() => createApi(host).status());
    expect(error.status).toBe(500);
    expect(error.problem.remedy).not.toBe('');
  });

  it('reads the documented error form of the send route', () => {
    expect(problemFrom({ ok: false, code: 'PEER_NOT_FOUND', error: 'Peer not found: x' }, 404)).toMatchObject({
      code: 'PEER_NOT_FOUND',
      summary: 'Peer not found: x',
    });
  });
});

describe('hosts', () => {
  it('splits the status off the bytes that the window gets', () => {
    const { status, body } = splitAnswer(Uint8Array.from([1, 148, 123, 125]));
    expect(status).toBe(404);
    expect(new TextDecoder().decode(body)).toBe('{}');
    expect(splitAnswer(Uint8Array.from([0, 204])).body).toHaveLength(0);
    expect(() => splitAnswer(Uint8Array.from([1]))).toThrow();
  });

  it('reads server-sent events however the bytes are cut', async () => {
    const text = 'retry: 100\n\nid: 1\ndata: {"seq":1}\n\n: comment\n\ndata: a\r\ndata: é\r\n\r\n';
    for (const size of [1, 2, 3, 7, 1000]) {
      const all = bytes(text);
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let i = 0; i < all.length; i += size) controller.enqueue(all.subarray(i, i + size));
          controller.close();
        },
      });
      const got: string[] = [];
      for await (const data of sseData(stream)) got.push(data);
      expect(got).toEqual(['{"seq":1}', 'a\né']);
    }
  });
});
