// A KithKit daemon on the LAN as far as the protocol goes: it sends and takes signed messages.

import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import http from 'node:http';

const signature = (secret, body) => createHmac('sha256', secret).update(body).digest('hex');

/** Sends a message to another machine's listener. */
export function send(own, { host, port, secret, text, type = 'text', messageId = randomUUID() }) {
  const body = JSON.stringify({ from: own, type, text, messageId, timestamp: new Date().toISOString() });
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    if (secret) headers['X-Signature'] = signature(secret, body);
    const asking = http.request({ host, port, method: 'POST', path: '/agent/message', headers });
    asking.once('error', reject);
    asking.once('response', (response) => {
      let out = '';
      response.on('data', (chunk) => (out += chunk));
      response.once('end', () => resolve({ status: response.statusCode, body: out, messageId }));
    });
    asking.end(body);
  });
}

/** Takes messages that carry the right signature, as a daemon that enforces it. */
export async function listen(secret) {
  const taken = [];
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { status, out } = take(request, body);
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(out));
    });
  });
  const take = ({ method, url, headers }, body) => {
    if (method !== 'POST' || url !== '/agent/message') return { status: 404, out: { error: 'Not found' } };
    let message;
    try {
      message = JSON.parse(body);
    } catch {
      return { status: 400, out: { error: 'Invalid request' } };
    }
    const given = Buffer.from(headers['x-signature'] ?? '', 'hex');
    const expected = Buffer.from(signature(secret, body), 'hex');
    if (!headers['x-signature']) return { status: 401, out: { ok: false, error: 'Signature required' } };
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return { status: 401, out: { ok: false, error: 'Invalid signature' } };
    }
    for (const field of ['from', 'type', 'messageId', 'timestamp']) {
      if (typeof message[field] !== 'string' || !message[field]) {
        return { status: 400, out: { error: `'${field}' is required and must be a string` } };
      }
    }
    taken.push(message);
    return { status: 200, out: { ok: true, queued: true } };
  };
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return { port: server.address().port, taken, close: () => server.close() };
}
