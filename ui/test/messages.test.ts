import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it } from 'vitest';
import App from '../src/App.svelte';
import { Answers } from '../src/lib/asks';
import type { MessageView } from '../src/lib/api/types';
import { checkPayload } from '../src/lib/payload';
import { History } from '../src/lib/state/history.svelte';
import { FakeHost, Refusal, type Routes } from './fakeHost';
import { conversation, message, peer, refused, status } from './fixtures';

beforeAll(() => {
  // jsdom does not scroll.
  Element.prototype.scrollTo = () => {};
});

function open(hash: string, routes: Routes = {}) {
  location.hash = hash;
  const host = new FakeHost({
    'GET /control/status': () => status(),
    'GET /control/peers': () => [peer()],
    'GET /control/conversations': () => [conversation()],
    'GET /control/messages': () => ({ messages: [] }),
    'GET /control/asks': () => [],
    'GET /control/brakes': () => [],
    'POST /control/peers/wsl-box/read': () => undefined,
    ...routes,
  });
  render(App, { host });
  return host;
}

const button = (name: string | RegExp) => screen.findByRole('button', { name });
const sent = (host: FakeHost) => host.asked.filter(({ path }) => path === '/control/send').map(({ body }) => body);

describe('conversations', () => {
  it('are listed with their last line and what waits', async () => {
    open('#/messages', {
      'GET /control/conversations': () => [
        conversation({ unread: 3, last: message({ direction: 'in', text: 'Shall I?' }), asks: 1 }),
        conversation({ peer: 'server', last: undefined, queued: 2 }),
      ],
    });
    const list = await screen.findByTestId('conversations');
    expect(within(list).getByText('Shall I?')).toBeTruthy();
    expect(within(list).getByLabelText('3 unread')).toBeTruthy();
    expect(within(list).getByText('1 question for you')).toBeTruthy();
    expect(within(list).getByText('2 messages not sent yet')).toBeTruthy();
    const [first] = within(list).getAllByRole('link');
    expect(first?.getAttribute('href')).toBe('#/messages/wsl-box');
  });

  it('are searched once the typing pauses', async () => {
    const host = open('#/messages', {
      'GET /control/messages': () => ({ messages: [message({ text: 'the stale lock' })] }),
    });
    await fireEvent.input(await screen.findByLabelText('Search messages'), { target: { value: 'lock' } });
    const found = await screen.findByText('the stale lock');
    expect(found.closest('a')?.getAttribute('href')).toBe('#/messages/wsl-box?message=m-1');
    expect(host.asked.filter(({ path }) => path.includes('search='))).toHaveLength(1);
  });
});

describe('a conversation', () => {
  it('shows texts as text, and marks what is seen as read', async () => {
    const host = open('#/messages/wsl-box', {
      'GET /control/messages': () => ({
        messages: [message({ seq: 9, direction: 'in', state: 'new', text: '<b onclick=x>hi</b>' })],
      }),
    });
    const row = await screen.findByTestId('message');
    expect(row.querySelector('b')).toBeNull();
    within(row).getByText('<b onclick=x>hi</b>');
    await waitFor(() =>
      expect(host.asked).toContainEqual({ method: 'POST', path: '/control/peers/wsl-box/read', body: { upTo: 9 } }),
    );
  });

  it('puts the cursor into the composer when a notification was answered, each time', async () => {
    open('#/messages/wsl-box?compose');
    const field = await screen.findByLabelText('Message to wsl-box');
    await waitFor(() => expect(document.activeElement).toBe(field));
    await waitFor(() => expect(location.hash).toBe('#/messages/wsl-box'));
    field.blur();
    location.hash = '#/messages/wsl-box?compose';
    await waitFor(() => expect(document.activeElement).toBe(field));
  });

  it('sends a text with Enter, queued if need be, and is free for the next one at once', async () => {
    const host = open('#/messages/wsl-box', { 'POST /control/send': () => ({ ok: true, status: 'delivered' }) });
    const field = await screen.findByLabelText<HTMLTextAreaElement>('Message to wsl-box');
    await fireEvent.input(field, { target: { value: 'hello' } });
    await fireEvent.keyDown(field, { key: 'Enter', shiftKey: true });
    expect(sent(host)).toEqual([]);
    await fireEvent.keyDown(field, { key: 'Enter' });
    await waitFor(() => expect(sent(host)).toHaveLength(1));
    expect(sent(host)[0]).toEqual({ to: 'wsl-box', payload: { type: 'text', text: 'hello' }, onFailure: 'queue', route: 'auto' });
    expect(field.value).toBe('');
  });

  it('gives the text back when it was refused, with the reason', async () => {
    open('#/messages/wsl-box', {
      'POST /control/send': () => {
        throw new Refusal(503, { ok: false, error: 'The relay cannot be used.', code: 'RELAY_UNAVAILABLE', cause: 'c', remedy: 'Set one up.' });
      },
    });
    const field = await screen.findByLabelText<HTMLTextAreaElement>('Message to wsl-box');
    await fireEvent.input(field, { target: { value: 'hello' } });
    await fireEvent.click(await button('Send'));
    await screen.findByText('Set one up.');
    expect(field.value).toBe('hello');
  });

  it('checks JSON while it is typed, and sends it as it is', async () => {
    const host = open('#/messages/wsl-box', { 'POST /control/send': () => ({ ok: true, status: 'delivered' }) });
    await fireEvent.click(await screen.findByRole('radio', { name: 'JSON' }));
    const field = await screen.findByLabelText('Payload for wsl-box');
    await fireEvent.input(field, { target: { value: '{"type":' } });
    expect((await button('Send')).hasAttribute('disabled')).toBe(true);
    await fireEvent.input(field, { target: { value: '{"type":"task","id":17}' } });
    await screen.findByText('task');
    await fireEvent.click(await button('Send'));
    await waitFor(() => expect(sent(host)).toHaveLength(1));
    expect(sent(host)[0]).toMatchObject({ payload: { type: 'task', id: 17 } });
  });

  it('says why a message failed and sends it again only on a click, once', async () => {
    const host = open('#/messages/wsl-box', {
      'GET /control/messages': () => ({ messages: [message({ state: 'failed', problem: refused() })] }),
      'POST /control/messages/m-1/again': () => ({ ok: true, status: 'queued' }),
    });
    await screen.findByText(refused().summary);
    const again = await button('Send again');
    await fireEvent.click(again);
    await screen.findByText('Sent as a new message.');
    expect(again.hasAttribute('disabled')).toBe(true);
    expect(host.asked.filter(({ path }) => path.endsWith('/again'))).toHaveLength(1);
  });

  it('never offers to send again what may have arrived', async () => {
    open('#/messages/wsl-box', {
      'GET /control/messages': () => ({ messages: [message({ state: 'unconfirmed', evidence: 'none' })] }),
    });
    await button('Ask wsl-box now');
    await screen.findByText(/holds one copy or none/);
    expect(screen.queryByRole('button', { name: 'Send again' })).toBeNull();
  });
});

describe('a question that waits for the person', () => {
  const ask = message({
    seq: 4, messageId: 'a-1', direction: 'in', type: 'tieline.ask', text: 'May I?', state: 'handedOver', evidence: undefined,
    payload: { type: 'tieline.ask', text: 'May I?', hops: 4 },
  });
  const waiting = () => ({
    askId: 'a-1', peer: 'wsl-box', text: 'May I?', receivedAt: ask.createdAt,
    deadlineAt: new Date(Date.now() + 300_000).toISOString(),
  });

  it('is answered from the composer', async () => {
    let asks = [waiting()];
    const host = open('#/messages/wsl-box', {
      'GET /control/messages': () => ({ messages: [ask] }),
      'GET /control/asks': () => asks,
      'POST /control/asks/a-1/reply': () => {
        asks = [];
      },
    });
    const strip = await screen.findByTestId('waiting-asks');
    expect(strip.textContent).toMatch(/wsl-box asks: May I\?\s*(5:00|4:5\d) left/);
    await fireEvent.click(within(strip).getByRole('button', { name: 'Reply' }));
    const field = await screen.findByLabelText('Answer to wsl-box');
    await waitFor(() => expect(document.activeElement).toBe(field));
    await fireEvent.input(field, { target: { value: 'Yes' } });
    await fireEvent.click(await button('Send answer'));
    await waitFor(() =>
      expect(host.asked).toContainEqual({ method: 'POST', path: '/control/asks/a-1/reply', body: { text: 'Yes' } }),
    );
    host.emit('asks', ['a-1']);
    await waitFor(() => expect(screen.queryByTestId('waiting-asks')).toBeNull());
    expect(screen.queryByLabelText('Answer to wsl-box')).toBeNull();
  });

  it('is declined without a text', async () => {
    const host = open('#/messages/wsl-box', {
      'GET /control/asks': () => [waiting()],
      'POST /control/asks/a-1/reply': () => undefined,
    });
    await fireEvent.click(await button('Decline'));
    await waitFor(() =>
      expect(host.asked).toContainEqual({ method: 'POST', path: '/control/asks/a-1/reply', body: {} }),
    );
  });
});

describe('the history', () => {
  /** An engine with `count` messages, paged as the real one pages. */
  function engine(count: number) {
    const all: MessageView[] = Array.from({ length: count }, (_, i) => message({ seq: i + 1, messageId: `m-${i + 1}` }));
    const host = new FakeHost({});
    const messages = async (query: { before?: number; after?: number; limit?: number } = {}) => {
      const { before, after, limit = 50 } = query;
      if (after !== undefined) {
        const found = all.filter((one) => one.seq > after).slice(0, limit);
        return { messages: found, next: found.at(-1)?.seq };
      }
      const found = all.filter((one) => one.seq < (before ?? Infinity)).slice(-limit).toReversed();
      return { messages: found, next: (found.at(-1)?.seq ?? 1) > 1 ? found.at(-1)?.seq : undefined };
    };
    return { all, host, history: new History({ messages, message: async () => expect.fail('not asked') }, 'wsl-box') };
  }
  const seqs = (history: History) => [history.rows[0]?.seq, history.rows.at(-1)?.seq, history.rows.length];
  const whole = (history: History) => history.rows.every((row, i) => i === 0 || row.seq === history.rows[i - 1]!.seq + 1);

  it('begins at the end and grows in front', async () => {
    const { history } = engine(350);
    await history.open();
    expect(seqs(history)).toEqual([251, 350, 100]);
    await history.older();
    expect(history.grewInFront).toBe(true);
    await Promise.all([history.older(), history.older()]);
    expect(seqs(history)).toEqual([51, 350, 300]);
    await history.older();
    expect([...seqs(history), history.moreOlder]).toEqual([1, 350, 350, false]);
    expect(whole(history)).toBe(true);
  });

  it('takes up what is new, however much, without a gap', async () => {
    const { all, history } = engine(150);
    await history.open();
    for (let seq = 151; seq <= 420; seq += 1) all.push(message({ seq, messageId: `m-${seq}` }));
    await history.refresh();
    expect(seqs(history)).toEqual([51, 420, 370]);
    expect(whole(history)).toBe(true);
    all[419] = message({ seq: 420, state: 'failed' });
    await history.refresh();
    expect(history.rows.at(-1)?.state).toBe('failed');
  });

  it('opens around a message, and finds both ends from there', async () => {
    const { history } = engine(400);
    await history.open({ seq: 200 });
    expect(seqs(history)).toEqual([101, 300, 200]);
    expect([history.moreOlder, history.moreNewer]).toEqual([true, true]);
    await history.newer();
    await history.newer();
    expect([history.rows.at(-1)?.seq, history.moreNewer]).toEqual([400, false]);
    expect(whole(history)).toBe(true);
  });

  it('keeps a changed row from being shown as it was', async () => {
    const { all, history } = engine(300);
    await history.open();
    await history.older();
    all[149] = message({ seq: 150, state: 'failed' });
    await history.refresh();
    expect(history.rows.find((row) => row.seq === 150)?.state).toBe('delivered');
    await history.recheck(history.rows.findIndex((row) => row.seq === 160));
    expect(history.rows.find((row) => row.seq === 150)?.state).toBe('failed');
  });
});

describe('answers', () => {
  const answer = (seq: number, over: object, direction: 'in' | 'out' = 'in') =>
    message({ seq, messageId: `m-${seq}`, direction, type: 'tieline.answer', payload: { type: 'tieline.answer', inReplyTo: 'a-1', ...over } });
  const ask = { messageId: 'a-1', direction: 'out' as const };

  it('belong to the question that went the other way; the final one counts', () => {
    const answers = new Answers();
    answers.add([answer(2, { final: false, text: 'wait' }), answer(3, { final: true, text: 'yes' })]);
    answers.add([answer(4, { final: false, text: 'late' }), answer(5, { final: true, text: 'ours' }, 'out')]);
    expect(answers.to(ask)?.message.seq).toBe(3);
    expect(answers.to({ ...ask, direction: 'in' })?.message.seq).toBe(5);
    expect(answers.to({ ...ask, messageId: 'a-2' })).toBeUndefined();
  });
});

describe('a typed payload', () => {
  it('is an object with a type', () => {
    expect(checkPayload(' ')).toEqual({ state: 'empty' });
    expect(checkPayload('{"type":"task","id":1}')).toEqual({ state: 'valid', type: 'task', payload: { type: 'task', id: 1 } });
    for (const text of ['[]', '1', 'null', '{}', '{"type":""}', '{"type":1}', '{"type":"tieline.ask","text":"x"}']) {
      expect(checkPayload(text).state, text).toBe('invalid');
    }
  });

  it('says where it is wrong', () => {
    const where = (text: string) => {
      const checked = checkPayload(text);
      return checked.state === 'invalid' ? `${checked.at?.line}:${checked.at?.column} ${checked.reason}` : checked.state;
    };
    expect(where('{\n  "type": "x",\n  oops\n}')).toBe('3:3 Here a name in double quotes is expected.');
    expect(where('{"type":"task",\n "id": oops}')).toBe('2:8 Here a value is expected.');
    expect(where('{"type":"x"')).toBe('1:12 It ends where "," or "}" is expected.');
    expect(where('{"type":"x"}}')).toBe('1:13 Nothing more is expected here.');
    expect(where('{"type":"x\n"}')).toMatch(/^1:11 Here the closing quote/);
    expect(where('{"type" "x"}')).toBe('1:9 Here ":" is expected.');
    for (const value of ['01', '1.', '.5', 'tru', 'trued', '"\\x"', '[1,]', "'a'"]) {
      expect(where(`{"type":"x","v":${value}}`), value).toMatch(/^1:(1[7-9]|2\d) /);
    }
  });
});
