/**
 * The engine behind the Worker's gateway: the real embedded one, which loses requests and answers as the gate says, and
 * can be killed and opened again over what it had written. `sound` is the same store for everybody else.
 */
import type { DatabaseSync } from 'node:sqlite';
import { openEmbeddedEngine } from '#infra/gateway/embedded/embedded-engine.ts';
import type { Command, Engine, Reply } from '#infra/gateway/engine.ts';
import type { EffectGate } from './effect-gate.ts';
import { openIndexDatabase } from './index-dump.ts';

export class FaultyStore {
  readonly #path: string;
  readonly #nowMs: () => number;
  /** Keeps a store in memory alive while its engine is opened again, and looks into it. */
  readonly database: DatabaseSync;
  #engine: Engine;
  /** Starts of the engine: who waited for an earlier one hears nothing. */
  #starts = 0;
  gate: EffectGate | undefined;

  constructor(path: string, nowMs: () => number) {
    this.#path = path;
    this.#nowMs = nowMs;
    this.#engine = openEmbeddedEngine(path, nowMs);
    this.database = openIndexDatabase(path);
  }

  readonly sound: Engine = {
    run: (commands, atomic) => this.#engine.run(commands, atomic),
    close: async () => undefined,
  };

  readonly faulty: Engine = {
    run: (commands, atomic) => this.#run(commands, atomic),
    close: async () => undefined,
  };

  async #run(commands: readonly Command[], atomic: boolean): Promise<readonly Reply[]> {
    const { gate } = this;
    const fate = gate?.fateOf('index') ?? 'pass';
    if (fate === 'lose-request') throw new Error('this request never arrived');
    const start = this.#starts;
    const replies = await this.#engine.run(commands, atomic);
    if (fate === 'restart') await this.#restart();
    if (fate === 'lose-answer' || gate?.dead || start !== this.#starts) throw new Error('this answer never arrived');
    return replies;
  }

  async #restart(): Promise<void> {
    this.#starts++;
    await this.#engine.close();
    this.#engine = openEmbeddedEngine(this.#path, this.#nowMs);
  }

  /** Removes every key but those that the network itself needs. */
  forgetFiles(): void {
    const kept =
      "key NOT IN (x'6e', x'6964', x'6d6e', x'6d63', x'6d6b', x'6468', x'6476') AND substr(key, 1, 3) <> x'64703a'";
    for (const table of ['hash', 'zset', 'list']) {
      this.database.exec(`DELETE FROM ${table} WHERE id IN (SELECT id FROM keys WHERE ${kept})`);
    }
    this.database.exec(`DELETE FROM keys WHERE ${kept}`);
  }

  async close(): Promise<void> {
    await this.#engine.close();
    this.database.close();
  }
}
