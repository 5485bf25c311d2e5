/**
 * Every size and time limit of the wire, each with its unit and where it comes from. Servers refuse what is over a
 * limit before they read or keep it; clients never produce it. `docs/protocol.md` §§1–3 state them.
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;

// ---- shards and their streams

/** A segment has at most 4 MiB (glossary); with k = 1 a shard is the whole segment. */
export const MAX_SEGMENT_BYTES = 4 * MIB;
/**
 * Largest file that is stored with `proof=zk`: 1 MiB, and what encryption puts around it. Its largest shard too (a whole
 * copy): 0.3 s of a miner's time.
 */
export const MAX_ZK_FILE_BYTES = MIB + 64 * KIB;
/** Largest shard a miner takes: the whole segment, and room for what an anchor of type 2 puts before it (32-byte key). */
export const MAX_SHARD_BYTES = MAX_SEGMENT_BYTES + 4 * KIB;
/** Smallest shard there is (por/v1 §3: max(32, ⌈segment / k⌉)). */
export const MIN_SHARD_BYTES = 32;
/** Opaque bytes that a tenant keeps beside a shard (design, "Trust and secrets"). */
export const MAX_LABEL_BYTES = 160;
/** What one stream may reserve. A longer upload opens the next stream: 64 GiB at (16, 40) is 4 GiB a miner. */
export const MAX_STREAM_BYTES = 4 * 1024 * MIB;
/** Frames of one stream: as many whole segments as the largest file of one stream has, and some for repeats. */
export const MAX_STREAM_FRAMES = 65_536;
/** Frames sent and not yet answered; a miner may stop reading at this many, a client stops sending. */
export const MAX_OPEN_FRAMES = 64;
/** How far a stored shard may be asked to be held: a file's life has no end, an upload session's has. */
export const MAX_HOLD_MS = 14 * 24 * HOUR_MS;
/** A client hands a shard to its transport in pieces of this size, so that progress can be told from silence. */
export const SEND_PIECE_BYTES = MIB;

// ---- requests

/** Shards of one `POST /v1/shards/read`. */
export const MAX_READ_ITEMS = 64;
/** Items of one page of a listing. */
export const MAX_LIST_ITEMS = 1000;
/** An opaque listing cursor, in characters. */
export const MAX_CURSOR_CHARS = 128;
/** Anchors in one drop or restore order: its receipt (33 bytes each) stays far below a mebibyte. */
export const MAX_DROP_ITEMS = 4096;
/** A request target: path and query. The longest legal one (PUT with a full label) has about 450 characters. */
export const MAX_TARGET_CHARS = 1024;
/** All headers of a request or an answer together (design, "Trust and secrets"); Node's `maxHeaderSize`. */
export const MAX_HEADER_BYTES = 8 * KIB;
/** Header fields of one message; Node's `maxHeadersCount`. */
export const MAX_HEADER_COUNT = 64;
/** Bodies above this need a Content-Digest (bittensor.md, our profile); a body without one is held in memory. */
export const MAX_UNDIGESTED_BODY_BYTES = 64 * KIB;
/** `Filetao-Grant` as base64 text: 208 bytes of statement and signature, and slack for later versions. */
export const MAX_GRANT_CHARS = 1024;

// ---- answers

/** A problem+json body. */
export const MAX_PROBLEM_BYTES = 4 * KIB;
/** `/health` and other small JSON answers. */
export const MAX_SMALL_ANSWER_BYTES = 4 * KIB;
/** One item of a listing as JSON: 430 at most, and slack for fields of later versions. */
export const MAX_LIST_ITEM_BYTES = 640;

// ---- probes
/** On the answer to `POST /v1/probes`: milliseconds that the edge waited for the miner. */
export const PROBE_ELAPSED_HEADER = 'filetao-elapsed-ms';

// ---- time

/** Inside a message: no byte for this long ends it (bittensor.md, our profile). Also the wait for response headers. */
export const IDLE_MS = 10 * SECOND_MS;
/** Between two frames of a stream, when nothing is unanswered: the uploader's own client may be slow. */
export const STREAM_PAUSE_MS = 120 * SECOND_MS;
/** A shard on its way is answered this long after its last byte was taken, whatever else moves. */
export const RECEIPT_WAIT_MS = 30 * SECOND_MS;
/** A whole stream; then the next one is opened. */
export const STREAM_TOTAL_MS = 6 * HOUR_MS;
/** Any other request from its first byte to the last byte of its answer; for large answers plus their bytes. */
export const REQUEST_TOTAL_MS = 30 * SECOND_MS;
/** The slowest transfer that a total is made for: 64 KiB a second. */
export const SLOWEST_BYTES_PER_MS = 64;

// ---- btauth/1 (bittensor.md, "Signed requests")

/** A nonce may lie this far in the past when its headers arrive, */
export const NONCE_PAST_MS = 10 * SECOND_MS;
/** and this far in the future. */
export const NONCE_FUTURE_MS = 2 * SECOND_MS;
/** A nonce can be played again for past + future, so it is remembered that long. */
export const NONCE_HOLD_MS = NONCE_PAST_MS + NONCE_FUTURE_MS;
/** The same in a store that several processes share: a second for their clocks. */
export const SHARED_NONCE_HOLD_MS = NONCE_HOLD_MS + SECOND_MS;
/** Remembered nonces of one hotkey: about 680 requests a second, far more than one caller needs. */
export const MAX_NONCES_PER_HOTKEY = 8192;
/** Remembered nonces of everyone: about 20 MB. */
export const MAX_NONCES = 131_072;
