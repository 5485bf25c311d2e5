/** `NetworkHistory` in memory, for tests of what reads and writes it. Passes `network-suite.ts`. */
import type {
  Dated,
  MinerDetail,
  MinerNow,
  NetworkHistory,
  NetworkNow,
  NetworkSnapshot,
  Span,
} from '#shared/index/network-ports.ts';
import type { Clock } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';

export class MemoryNetworkHistory implements NetworkHistory {
  snapshots: readonly NetworkSnapshot[] = [];
  now: { readonly now: NetworkNow; readonly miners: readonly MinerNow[] } | undefined;
  readonly details = new Map<Hotkey, { readonly detail: MinerDetail; readonly untilMs: number }>();
  /** What the engine says. */
  bytes: number | undefined = 4096;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async append(snapshot: NetworkSnapshot, keepMs: number): Promise<void> {
    const { takenAtMs } = snapshot;
    const kept = this.snapshots.filter((old) => old.takenAtMs !== takenAtMs && old.takenAtMs > takenAtMs - keepMs);
    this.snapshots = [...kept, snapshot].sort((a, b) => b.takenAtMs - a.takenAtMs);
  }
  async publishNow(now: NetworkNow, miners: readonly MinerNow[]): Promise<void> {
    this.now = { now, miners };
  }
  async publishDetails(details: readonly MinerDetail[], keepMs: number): Promise<void> {
    const untilMs = this.#clock.nowMs() + keepMs;
    for (const detail of details) this.details.set(detail.miner.hotkey, { detail, untilMs });
  }
  async indexBytes(): Promise<number | undefined> {
    return this.bytes;
  }

  async minerRows(span: Span, hotkey?: Hotkey) {
    return this.#rows(span, ({ miners }) =>
      hotkey === undefined ? miners : miners.filter((row) => row.hotkey === hotkey),
    );
  }
  async tierRows(span: Span) {
    return this.#rows(span, ({ tiers }) => tiers);
  }
  async networkRows(span: Span) {
    return this.#rows(span, ({ network }) => [network]);
  }
  async readNow(): Promise<NetworkNow | undefined> {
    return this.now?.now;
  }
  async minersNow() {
    return { takenAtMs: this.now?.now.takenAtMs ?? 0, miners: this.now?.miners ?? [] };
  }
  async minerDetail(hotkey: Hotkey): Promise<MinerDetail | undefined> {
    const found = this.details.get(hotkey);
    return found && found.untilMs > this.#clock.nowMs() ? found.detail : undefined;
  }

  #rows<Row>(
    { fromMs, toMs, offset, limit }: Span,
    rowsOf: (snapshot: NetworkSnapshot) => readonly Row[],
  ): readonly Dated<Row>[] {
    return this.snapshots
      .filter(({ takenAtMs }) => takenAtMs >= fromMs && takenAtMs <= toMs)
      .flatMap((snapshot) => rowsOf(snapshot).map((row) => ({ takenAtMs: snapshot.takenAtMs, ...row })))
      .slice(offset, offset + limit);
  }
}
