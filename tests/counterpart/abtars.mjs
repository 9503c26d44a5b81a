// An abTARS machine as far as the protocol goes: it asks, and is asked, in either generation.

import { randomUUID } from 'node:crypto';
import { X509Certificate } from 'node:crypto';
import https from 'node:https';
import tls from 'node:tls';

import { bearer, eddsaBearer, signed, tagged, untagged, whoseBearer, whyNotSigned } from './proofs.mjs';

const CHAT = '/v1/chat/completions';

const refusal = (status, message, type, code, headers = {}) => ({ status, headers, body: { error: { message, type, code } } });
const unauthorized = (message, code = 'invalid_api_key') => refusal(401, message, 'authentication_error', code);

/** Starts a server. What it was asked stands in `asked`. */
export async function listen(own, { generation, peers, answer, port = 0 }) {
  const asked = [];
  const seen = new Set();
  const server = https.createServer(
    { key: own.tlsPem, cert: own.certPem, minVersion: 'TLSv1.3', ALPNProtocols: ['http/1.1'] },
    (request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const { status, headers = {}, body: out } = serve(request, body);
        response.writeHead(status, out === null ? headers : { 'Content-Type': 'application/json', ...headers });
        response.end(out === null ? '' : JSON.stringify(out));
      });
    },
  );

  const serve = (request, body) => {
    const { method, url, headers } = request;
    const routes = generation === 'current' ? [`POST ${CHAT}`, 'GET /v1/agent-card', 'GET /v1/models'] : [`POST ${CHAT}`, 'GET /v1/models'];
    const entry = { method, url, headers, body: body.toString() };
    asked.push(entry);
    if (!routes.includes(`${method} ${url}`)) return { status: 404, body: null };
    let sender;
    if (generation === 'current') {
      sender = headers['x-peer-id'];
      if (!sender) return unauthorized('Missing X-Peer-Id header');
      if (!peers[sender]) return unauthorized('Unknown peer');
      entry.why = whyNotSigned(headers, method, url, body, peers[sender].verifyKey, seen);
      if (entry.why) return unauthorized('Invalid request signature', 'sig_invalid');
    } else {
      const value = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
      if (!value) return unauthorized('Missing bearer token');
      sender = whoseBearer(value, peers, own.name);
      if (!sender) return unauthorized('Invalid bearer token');
    }
    entry.sender = sender;
    if (url === '/v1/agent-card') {
      return { status: 200, body: { name: own.name, version: '?', capabilities: [], load: 0, max_sessions: 12, status: 'ready' } };
    }
    if (url === '/v1/models') {
      return { status: 200, body: { object: 'list', data: [{ id: own.name, object: 'model', created: 0, owned_by: own.name }] } };
    }
    if (Number.parseInt(headers['x-peer-hops'] ?? '1', 10) <= 0) {
      return refusal(429, 'Peer hop limit reached', 'loop_detected', 'hop_exceeded');
    }
    const content = JSON.parse(body).messages.at(-1).content;
    Object.assign(entry, untagged(content, sender, peers[sender].verifyKey, own.name));
    if (answer.status) return refusal(answer.status, answer.message, answer.type, answer.code, answer.headers);
    const text = answer.text ?? `${own.name} heard: ${entry.text}`;
    return {
      status: 200,
      body: {
        id: `chatcmpl-${randomUUID()}`,
        object: 'chat.completion',
        created: Math.floor(Date.now() / 1000),
        model: 'default',
        choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
      },
    };
  };

  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return { port: server.address().port, asked, close: () => server.close() };
}

/** Sends a request, with the other side's pin checked before a byte of it leaves. */
export function request(peer, { method, target, headers, body, generation }) {
  return new Promise((resolve, reject) => {
    const pins =
      generation === 'legacy'
        ? { ca: [peer.certPem], checkServerIdentity: (_, shown) => legacyPin(peer, shown) }
        : { rejectUnauthorized: false };
    const socket = tls.connect({ host: peer.host, port: peer.port, minVersion: 'TLSv1.3', ALPNProtocols: ['http/1.1'], ...pins });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      if (generation !== 'legacy') {
        const raw = new X509Certificate(socket.getPeerCertificate(true).raw);
        const shown = raw.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
        if (shown !== peer.verifyKey) {
          socket.destroy();
          return reject(new Error(`Peer ${peer.name}: cert SPKI does not match enrolled verifyKey`));
        }
      }
      const asking = https.request({ createConnection: () => socket, method, path: target, headers: { Host: `${peer.host}:${peer.port}`, Connection: 'close', ...headers } });
      asking.once('error', reject);
      asking.once('response', (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }));
      });
      asking.end(body);
    });
  });
}

const legacyPin = (peer, shown) =>
  peer.certFingerprint && shown.fingerprint256 !== peer.certFingerprint ? new Error('certificate fingerprint mismatch') : undefined;

/** Asks a peer. The proofs are those of the generation, or `eddsa` for the published page's. */
export function ask(own, peer, { text, generation, hops = 12, tag = true, stream, session }) {
  const content = tag ? tagged(own, peer.name, text) : text;
  const body = JSON.stringify({ model: 'default', messages: [{ role: 'user', content }], ...(stream ? { stream } : {}) });
  const proof =
    {
      current: () => signed(own, 'POST', CHAT, body),
      legacy: () => ({ Authorization: `Bearer ${bearer(peer.token, own.name, peer.name)}` }),
      eddsa: () => ({ Authorization: `Bearer ${eddsaBearer(own, peer.name)}` }),
    }[generation]();
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...proof,
    'X-Peer-Hops': String(hops),
    ...(session ? { 'X-Session-Id': session } : {}),
  };
  return request(peer, { method: 'POST', target: CHAT, headers, body, generation });
}
