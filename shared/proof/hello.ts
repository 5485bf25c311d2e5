/**
 * Hello: a miner's word, over the caller's fresh nonce, that the address on the chain is its own. Callers ask for it
 * before they send data, else a foreign axon could aim the network at a victim (por/v1 §9). It names no network:
 * the nonce binds it to one question.
 *
 *   "filetao/hello/v1\0"  nonce₃₂  caller₃₂  miner₃₂  u128 ip  u16 port
 */
import type { Hotkey } from '#shared/primitives/ids.ts';
import { type Parsed, StatementReader, StatementWriter } from './statement.ts';

export interface Hello {
  /** 32 random bytes of the caller. */
  readonly nonce: Uint8Array;
  readonly caller: Hotkey;
  readonly miner: Hotkey;
  /** The address as the chain keeps it: an IPv4 address is its 32-bit number. */
  readonly ip: bigint;
  readonly port: number;
}

const TAG = 'filetao/hello/v1';
const LOW_64 = (1n << 64n) - 1n;

export function encodeHello(hello: Hello): Uint8Array {
  return new StatementWriter(TAG)
    .fixed(hello.nonce, 32)
    .hotkey(hello.caller)
    .hotkey(hello.miner)
    .u64(hello.ip >> 64n)
    .u64(hello.ip & LOW_64)
    .u16(hello.port)
    .finish();
}

export function parseHello(bytes: Uint8Array): Parsed<Hello> {
  const reader = new StatementReader('hello', bytes, TAG);
  const nonce = reader.copy(32);
  const caller = reader.hotkey();
  const miner = reader.hotkey();
  const ip = (reader.u64big() << 64n) | reader.u64big();
  const port = reader.u16();
  return reader.close({ nonce, caller, miner, ip, port });
}
