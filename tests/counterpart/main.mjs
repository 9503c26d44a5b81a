// The counterpart: abTARS and KithKit machines in another language, written from the descriptions
// of their protocols alone, with nothing but Node's standard library.
//
// It reads one JSON order per line and answers each with one line, in the order of the orders:
// {"ok": result} or {"error": text}. The tests in `tests/headless/counterpart` drive it.

import { createInterface } from 'node:readline';
import { randomBytes } from 'node:crypto';

import * as abtars from './abtars.mjs';
import { fromKeys, identity, readPrivateKey } from './certificate.mjs';
import * as kithkit from './kithkit.mjs';
import { bearer, eddsaBearer, signed, tagged } from './proofs.mjs';

const machines = new Map();
const servers = [];

const known = (name) => {
  const own = machines.get(name);
  if (!own) throw new Error(`there is no machine ${name}`);
  return own;
};

const orders = {
  /** Makes a machine's keys. */
  machine({ name, separateTls, days }) {
    machines.set(name, identity(name, { separateTls, days }));
    return orders.keys({ name });
  },

  /** A machine whose keys were made elsewhere. */
  adopt({ name, signingPem, tlsPem, certPem, fingerprint }) {
    const [signing, tls] = [signingPem, tlsPem ?? signingPem].map(readPrivateKey);
    machines.set(name, fromKeys(name, signing, tls, { pem: certPem, fingerprint }));
    return orders.keys({ name });
  },

  /** What others need to know of a machine, and its own keys for importing them. */
  keys({ name }) {
    const { signing, ...rest } = known(name);
    return rest;
  },

  token: () => randomBytes(32).toString('base64'),

  async listen({ own, ...options }) {
    const server = await abtars.listen(known(own), { answer: {}, ...options });
    servers.push(server);
    return { server: servers.length - 1, port: server.port };
  },

  asked: ({ server }) => servers[server].asked.splice(0),

  close({ server }) {
    servers[server].close();
  },

  ask: ({ own, peer, ...options }) => abtars.ask(known(own), peer, options),

  /** A request as the test wants it. `proof` says how it is proven, `with` changes headers. */
  async request({ own, peer, method, target, body = '', proof, content, with: changes = {}, options = {}, padding }) {
    const me = own ? known(own) : null;
    let text = body;
    if (content != null) {
      const tail = options.tag === false ? content : tagged(me, options.context ?? peer.name, content, options.tagTs);
      text = JSON.stringify({ model: 'default', messages: [{ role: 'user', content: tail }] });
    }
    if (padding) text = 'x'.repeat(padding);
    const proofs = {
      signed: () => signed(me, method, options.signedTarget ?? target, options.signedBody ?? text, options),
      bearer: () => ({ Authorization: `Bearer ${bearer(options.token ?? peer.token, options.iss ?? me.name, options.aud ?? peer.name, options)}` }),
      eddsa: () => ({ Authorization: `Bearer ${eddsaBearer(me, options.aud ?? peer.name, options)}` }),
    };
    const headers = { ...(method === 'GET' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }), ...(proof ? proofs[proof]() : {}) };
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) delete headers[name];
      else headers[name] = value;
    }
    const sent = { method, target, headers, body: text };
    const answer = await abtars.request(peer, { ...sent, generation: options.generation ?? 'current' });
    return options.again ? { first: answer, ...(await abtars.request(peer, { ...sent, generation: 'current' })) } : { ...answer, sent: headers };
  },

  kithkitSend: ({ own, ...options }) => kithkit.send(own, options),

  async kithkitListen({ secret }) {
    const server = await kithkit.listen(secret);
    servers.push(server);
    return { server: servers.length - 1, port: server.port };
  },

  kithkitTaken: ({ server }) => servers[server].taken.splice(0),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...order } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: (await orders[what](order)) ?? null };
  } catch (error) {
    answer = { error: String(error?.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
