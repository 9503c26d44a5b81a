// What an abTARS request shows to be believed, in both generations, and what a receiver checks.

import { createHash, createHmac, createPublicKey, randomBytes, sign, timingSafeEqual, verify } from 'node:crypto';

const seconds = () => Math.floor(Date.now() / 1000);
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const key = (verifyKey) => createPublicKey({ key: Buffer.from(verifyKey, 'base64'), type: 'spki', format: 'der' });

const canonical = (method, target, ts, nonce, body) =>
  ['abtars-req-v1', method, target, ts, nonce, sha256(body)].join('\n');

/** The four headers of a signed request. */
export function signed(own, method, target, body, { ts = String(seconds()), nonce = randomBytes(16).toString('hex') } = {}) {
  return {
    'X-Peer-Id': own.name,
    'X-Peer-Ts': ts,
    'X-Peer-Nonce': nonce,
    'X-Peer-Sig': sign(null, Buffer.from(canonical(method, target, ts, nonce, body)), own.signing).toString('base64'),
  };
}

/** Why a signed request is refused, or nothing. `seen` remembers nonces. */
export function whyNotSigned(headers, method, target, body, verifyKey, seen) {
  const [ts, nonce, sig] = ['x-peer-ts', 'x-peer-nonce', 'x-peer-sig'].map((name) => headers[name]);
  if (!ts || !nonce || !sig) return 'missing_headers';
  const at = parseInt(ts, 10);
  if (Number.isNaN(at)) return 'invalid_ts';
  if (Math.abs(seconds() - at) > 30) return 'stale_ts';
  if (seen.has(nonce)) return 'nonce_replay';
  const text = Buffer.from(canonical(method, target, ts, nonce, body));
  if (!verify(null, text, key(verifyKey), Buffer.from(sig, 'base64'))) return 'bad_sig';
  seen.add(nonce);
  return null;
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const hmac = (token, text) => createHmac('sha256', Buffer.from(token, 'utf8')).update(text).digest();

/** The bearer of the older generation. */
export function bearer(token, iss, aud, { iat = seconds(), exp = iat + 60 } = {}) {
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss, aud, iat, exp })}`;
  return `${text}.${hmac(token, text).toString('base64url')}`;
}

/** Whose bearer this is: the name of a peer, or nothing. */
export function whoseBearer(value, peers, ownName) {
  for (const [name, peer] of Object.entries(peers)) {
    if (!peer.token) continue;
    if (value === peer.token) return name;
    const [header, claims, signature] = value.split('.');
    if (!signature) continue;
    const expected = hmac(peer.token, `${header}.${claims}`);
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) continue;
    const { iss, aud, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    if (aud === ownName && iss === name && exp >= seconds() && iat <= seconds() + 5) return name;
  }
  return null;
}

/** The bearer of the published page: a JWT signed with the sender's Ed25519 key, good once. */
export function eddsaBearer(own, aud, { iat = seconds(), exp = iat + 60, jti = randomBytes(16).toString('hex') } = {}) {
  const text = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part({ iss: own.name, aud, iat, exp, jti })}`;
  return `${text}.${sign(null, Buffer.from(text), own.signing).toString('base64url')}`;
}

/** A text with its tag. `context` is the receiver's name as the sender knows it. */
export function tagged(own, context, text, ts = seconds()) {
  const signature = sign(null, Buffer.from(`${own.name}|${context}|${ts}|${text}`), own.signing);
  return `${text} [sig:${ts}:${signature.toString('base64')}]`;
}

/** A text without its tag, and whether that holds. */
export function untagged(content, sender, verifyKey, ownName) {
  const found = /^([\s\S]*) \[sig:(\d+):([A-Za-z0-9+/=]+)\]$/.exec(content);
  if (!found) return { text: content, tag: 'absent' };
  const [, text, ts, signature] = found;
  const fresh = Math.abs(seconds() - Number(ts)) <= 30;
  const held = verify(null, Buffer.from(`${sender}|${ownName}|${ts}|${text}`), key(verifyKey), Buffer.from(signature, 'base64'));
  return { text, tag: fresh && held ? 'valid' : 'invalid' };
}
