/**
 * The host pattern port: from a miner's address to the URL that requests go to. Node connects to the literal address
 * (`http://{ip}:{port}`); a Worker in production cannot fetch bare addresses, so an operator's wildcard zone answers
 * for names (`http://{ip-with-dashes}.miners.example.org:{port}`). Only the parsed address fills a pattern, never text
 * from the chain.
 */
import { type ParsedAddress, parseAddress } from './address.ts';

/** A pattern that was checked once, at start. */
export interface HostPattern {
  readonly text: string;
}

const PLACEHOLDERS = /\{([^}]*)\}/g;

/** An IPv4 address with dashes for dots; an IPv6 address with dashes for colons, as a label that stands alone. */
export function dashed(address: ParsedAddress): string {
  if (address.version === 4) return address.text.replaceAll('.', '-');
  const text = address.text.replaceAll(':', '-');
  // A DNS label neither begins nor ends with a dash (RFC 952): "--1" is written "0--1".
  return `${text.startsWith('-') ? '0' : ''}${text}${text.endsWith('-') ? '0' : ''}`;
}

/** The address of `dashed`; undefined for any other label. The zone's server reads names with it. */
export function parseDashed(label: string): ParsedAddress | undefined {
  const address = /^[0-9]+(?:-[0-9]+){3}$/.test(label)
    ? parseAddress(label.replaceAll('-', '.'))
    : parseAddress(label.replaceAll('-', ':'));
  return address && dashed(address) === label ? address : undefined;
}

const fill = (pattern: string, address: ParsedAddress, port: number): string =>
  pattern
    .replaceAll('{ip-with-dashes}', dashed(address))
    .replaceAll('{ip}', address.version === 4 ? address.text : `[${address.text}]`)
    .replaceAll('{port}', String(port));

/** The pattern of a setting; throws what is wrong with it: a setting is refused at start, not at the first request. */
export function parseHostPattern(text: string): HostPattern {
  const names = [...text.matchAll(PLACEHOLDERS)].map((match) => match[1]);
  const unknown = names.find((name) => name !== 'ip' && name !== 'ip-with-dashes' && name !== 'port');
  if (unknown !== undefined) throw new TypeError(`miner host pattern: unknown placeholder {${unknown}}`);
  if (!names.includes('ip') && !names.includes('ip-with-dashes')) {
    throw new TypeError('miner host pattern: it must contain {ip} or {ip-with-dashes}');
  }
  const probe = parseAddress('192.0.2.1');
  const url = probe && URL.parse(fill(text, probe, 9001));
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError('miner host pattern: it must make an http or https URL');
  }
  // An origin and nothing else: a path would not be part of the signed target.
  if (`${url.protocol}//${url.host}` !== fill(text, probe, 9001)) {
    throw new TypeError('miner host pattern: scheme, host and port only, without a trailing slash or a default port');
  }
  return { text };
}

/** The URL of a miner, without a trailing slash; undefined when the address or port is none. */
export function minerUrlOf(
  pattern: HostPattern,
  miner: { readonly ip: string; readonly port: number },
): string | undefined {
  const address = parseAddress(miner.ip);
  if (!address || !Number.isInteger(miner.port) || miner.port < 1 || miner.port > 65_535) return undefined;
  return fill(pattern.text, address, miner.port);
}
