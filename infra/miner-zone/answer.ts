/**
 * The miner zone: a name server whose only knowledge is its own zone, in which `9-9-9-9.miners.example.org` has
 * the address 9.9.9.9. Production Workers may not fetch a bare IP address, and miners are bare IP addresses on the
 * chain; an edge operator delegates a zone to this server, and the host pattern of `shared/wire/miner-url.ts` points
 * into it. Pure: a question in, an answer out (RFC 1034 §4.3.2, RFC 2308 for "no such name").
 *
 * Addresses that no miner may have (loopback, private, …) do not exist in the zone: it must not become a way to aim
 * edges, or anyone's browser, at a local network.
 */
import dnsPacket from 'dns-packet';
import { isPublicAddress } from '#shared/wire/address.ts';
import { parseDashed } from '#shared/wire/miner-url.ts';

export interface Zone {
  /** Lowercase, without a closing dot: `miners.example.org`. */
  readonly name: string;
  /** Names of this server and its twins, as delegated by the parent zone. */
  readonly nameServers: readonly string[];
  /** Mailbox of the operator in the SOA's form: `hostmaster.example.org`. */
  readonly mailbox: string;
}

/** The name says the address: it never changes. Long, so that an edge asks once a day. Seconds. */
const ADDRESS_TTL_SECONDS = 86_400;
/** How long "no such name" is remembered, RFC 2308 §5. Seconds. */
const NEGATIVE_TTL_SECONDS = 3600;
/** Never changes what it says, so the serial never has to. */
const SERIAL = 1;
const SOA_REFRESH_SECONDS = 86_400;
const SOA_RETRY_SECONDS = 7200;
const SOA_EXPIRE_SECONDS = 1_209_600;

/** Where a message's flags say what kind of query it is; 0 is a standard query (RFC 1035 §4.1.1). */
const OPCODE_BITS = 0x7800;

const RCODE = { noError: 0, formatError: 1, noSuchName: 3, notImplemented: 4, refused: 5 } as const;

const soa = (zone: Zone): dnsPacket.Answer => ({
  type: 'SOA',
  name: zone.name,
  ttl: NEGATIVE_TTL_SECONDS,
  data: {
    mname: zone.nameServers[0] ?? zone.name,
    rname: zone.mailbox,
    serial: SERIAL,
    refresh: SOA_REFRESH_SECONDS,
    retry: SOA_RETRY_SECONDS,
    expire: SOA_EXPIRE_SECONDS,
    minimum: NEGATIVE_TTL_SECONDS,
  },
});

interface Reply {
  readonly rcode: number;
  readonly answers?: dnsPacket.Answer[];
  readonly authorities?: dnsPacket.Answer[];
}

function replyTo(zone: Zone, question: dnsPacket.Question): Reply {
  const name = question.name.toLowerCase();
  const inZone = name === zone.name || name.endsWith(`.${zone.name}`);
  if (!inZone || (question.class !== undefined && question.class !== 'IN')) return { rcode: RCODE.refused };
  const nothing = { authorities: [soa(zone)] };
  if (name === zone.name) {
    if (question.type === 'SOA') return { rcode: RCODE.noError, answers: [soa(zone)] };
    if (question.type !== 'NS') return { rcode: RCODE.noError, ...nothing };
    const answers = zone.nameServers.map(
      (data): dnsPacket.Answer => ({ type: 'NS', name: zone.name, ttl: ADDRESS_TTL_SECONDS, data }),
    );
    return { rcode: RCODE.noError, answers };
  }
  const address = parseDashed(name.slice(0, -zone.name.length - 1));
  if (!address || !isPublicAddress(address)) return { rcode: RCODE.noSuchName, ...nothing };
  const type = address.version === 4 ? 'A' : 'AAAA';
  if (question.type !== type) return { rcode: RCODE.noError, ...nothing };
  // The name goes back as it was asked, letter case included: resolvers compare it (draft-vixie-dnsext-dns0x20).
  const answer: dnsPacket.Answer = { type, name: question.name, ttl: ADDRESS_TTL_SECONDS, data: address.text };
  return { rcode: RCODE.noError, answers: [answer] };
}

/**
 * The answer to one DNS message.
 * @param message a query as it came, without TCP's length prefix
 * @returns the whole answer; undefined when the message deserves none (an answer itself, or no DNS message)
 */
export function answerTo(zone: Zone, message: Uint8Array): Uint8Array | undefined {
  let query: dnsPacket.DecodedPacket;
  try {
    query = dnsPacket.decode(Buffer.from(message));
  } catch {
    return undefined;
  }
  if (query.type !== 'query') return undefined;
  const [question, second] = query.questions ?? [];
  const base = { type: 'response' as const, id: query.id ?? 0, questions: question ? [question] : [] };
  const reply = ((): Reply => {
    if (((query.flags ?? 0) & OPCODE_BITS) !== 0) return { rcode: RCODE.notImplemented };
    if (!question || second) return { rcode: RCODE.formatError };
    return replyTo(zone, question);
  })();
  const authoritative = reply.rcode === RCODE.noError || reply.rcode === RCODE.noSuchName;
  try {
    return dnsPacket.encode({
      ...base,
      flags: (authoritative ? dnsPacket.AUTHORITATIVE_ANSWER : 0) | reply.rcode,
      answers: reply.answers ?? [],
      authorities: reply.authorities ?? [],
    });
  } catch {
    return undefined;
  }
}
