/**
 * `AccessIndex` over Redis: API keys by the hash of their text and by owner, quotas, grants, nonces. No key's text
 * ever comes here; grants are written by the tenant alone (the gateway refuses an edge's token).
 */
import { fromBase64, toBase64, toBase64Url } from '#shared/primitives/bytes.ts';
import { parseOwnerId } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import type { AccessIndex, ApiKey } from './ports.ts';
import { nonsense, type RedisConnection } from './redis-connection.ts';
import { askQuota, readHasQuota, setQuota } from './redis-owner-counters.ts';
import { nonceTag } from './tags.ts';

const packKey = (key: ApiKey): string => JSON.stringify([key.keyId, key.owner, key.createdAtMs, key.label]);

function parseKey(text: string): ApiKey {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return nonsense('an API key');
  }
  if (!Array.isArray(json) || json.length !== 4) return nonsense('an API key');
  const [keyId, ownerText, createdAtMs, label]: readonly unknown[] = json;
  const owner = typeof ownerText === 'string' ? parseOwnerId(ownerText) : undefined;
  const fits = typeof keyId === 'string' && typeof label === 'string' && Number.isSafeInteger(createdAtMs);
  return owner && fits ? { keyId, owner, label, createdAtMs: Number(createdAtMs) } : nonsense('an API key');
}

/** In an owner's hash: the hash of the key's text, then the key. */
const HASH_CHARS = 43;
const hashText = (keyHash: Uint8Array): string => toBase64Url(keyHash);

export function createRedisAccessIndex(connection: RedisConnection): AccessIndex {
  return {
    async findKey(keyHash) {
      const text = (await connection.read((c) => c.get(keys.apiKey(hashText(keyHash))))).textOrNull();
      return text === null ? undefined : parseKey(text);
    },
    async addKey(key, keyHash) {
      const hash = hashText(keyHash);
      const replies = await connection.multi((c) => {
        c.set(keys.apiKey(hash), packKey(key));
        c.hset(keys.ownerKeys(key.owner), { [key.keyId]: hash + packKey(key) });
      });
      replies.skip(2);
    },
    async listKeys(owner) {
      const texts = (await connection.read((c) => c.hgetall(keys.ownerKeys(owner)))).texts();
      const listed = texts.filter((_, i) => i % 2 === 1).map((text) => parseKey(text.slice(HASH_CHARS)));
      return listed.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.keyId < b.keyId ? -1 : 1));
    },
    async revokeKey(owner, keyId) {
      const text = (await connection.read((c) => c.hget(keys.ownerKeys(owner), keyId))).textOrNull();
      if (text === null) return false;
      const replies = await connection.multi((c) => {
        c.hdel(keys.ownerKeys(owner), keyId);
        c.del(keys.apiKey(text.slice(0, HASH_CHARS)));
      });
      return replies.integer() === 1;
    },
    async isKnownOwner(owner) {
      const replies = await connection.read((c) => {
        c.exists(keys.ownerKeys(owner));
        askQuota(c, owner);
      });
      const hasKeys = replies.integer() === 1;
      return readHasQuota(replies) || hasKeys;
    },
    async setQuota(owner, quotaBytes) {
      if (!Number.isSafeInteger(quotaBytes + 1) || quotaBytes < 0) throw new RangeError('a quota is a number of bytes');
      (await connection.write((c) => setQuota(c, owner, quotaBytes))).integers(1);
    },
    async readGrant(edge) {
      const text = (await connection.read((c) => c.get(keys.grant(edge)))).textOrNull();
      return text === null ? undefined : (fromBase64(text) ?? nonsense('a grant'));
    },
    async writeGrant(edge, grant) {
      (await connection.write((c) => c.set(keys.grant(edge), toBase64(grant)))).wasSet();
    },
    async claimNonce(identity, nonce, ttlMs) {
      const key = keys.nonce(nonceTag(identity, nonce));
      return (await connection.write((c) => c.set(key, 1, { nx: true, px: ttlMs }))).wasSet();
    },
  };
}
