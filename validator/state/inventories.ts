/**
 * What miners owe this tenant (por/v1 §5), in the validator's database: per miner and class a dense array of shards,
 * one hash chain over every change, and the state that the next round is committed to. Every call costs O(log N).
 *
 * Frozen without a copy: `freeze` notes head and class sizes; from then on the first change of a slot that existed
 * puts what it held aside. The frozen array is what was put aside, and otherwise what is there.
 */
import { invariant } from '#shared/primitives/failure.ts';
import { type Hotkey, idBytes } from '#shared/primitives/ids.ts';
import { leafCount } from '#shared/proof/anchor.ts';
import { chainInventory, classOf, EMPTY_INVENTORY, type InventoryView } from '#shared/proof/inventory.ts';
import { blobIn, numberIn, type Row, textIn } from './columns.ts';
import type { Database } from './database.ts';
import { OwedRows, type ShardPlace } from './owed-rows.ts';
import type { Inventories, OwedShard } from './ports.ts';

/** The inventory that a round draws from: it never changes until the next `freeze`. */
export interface FrozenInventory extends InventoryView {
  readonly inventory: Uint8Array;
  /** Steps of the hash chain up to it. */
  readonly changes: number;
  shardAt(s: number, slot: number): OwedShard;
}

/** What rounds need beyond `Inventories`. */
export interface FrozenInventories extends Inventories {
  /** From now on `frozen` is what the inventory is at this moment. */
  freeze(miner: Hotkey): FrozenInventory;
  /** Undefined before the first `freeze`. */
  frozen(miner: Hotkey): FrozenInventory | undefined;
}

const NOTHING: InventoryView = {
  leaves: 0,
  classes: [],
  shardAt() {
    throw new Error('invariant broken: nothing is drawn from an empty inventory');
  },
};

const ADD = 1;
const REMOVE = 2;
const CURSOR = /^([0-9]{1,2})\.([0-9]{1,10})$/;

export function createInventories(db: Database): FrozenInventories {
  const rows = new OwedRows(db);

  const minerRow = (miner: Hotkey): Row | undefined => db.sql('SELECT * FROM owed_miners WHERE hotkey = ?').get(miner);
  const numberOf = (miner: Hotkey): number => {
    const row = minerRow(miner);
    if (row) return numberIn(row, 'id');
    const { lastInsertRowid } = db
      .sql('INSERT INTO owed_miners (hotkey, hash) VALUES (?, ?)')
      .run(miner, EMPTY_INVENTORY);
    return Number(lastInsertRowid);
  };

  /** A step of the hash chain, and the totals after it. */
  function chain(miner: number, op: 'add' | 'remove', shard: OwedShard, { s, slot }: ShardPlace): void {
    const { anchorId, bytes } = shard;
    const row = db.sql('SELECT hash, changes FROM owed_miners WHERE id = ?').get(miner);
    const hash = chainInventory(blobIn(row, 'hash'), { op, slot, anchorId, bytes });
    const sign = op === 'add' ? 1 : -1;
    const leaves = sign * leafCount(bytes);
    db.sql(
      `UPDATE owed_miners SET hash = ?, leaves = leaves + ?, shards = shards + ?, bytes = bytes + ?,
         changes = changes + 1 WHERE id = ?`,
    ).run(hash, leaves, sign, sign * bytes, miner);
    rows.countClass(miner, s, sign, leaves);
    db.sql(
      `INSERT INTO owed_changes (miner, number, op, slot, anchor, bytes, type, root) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      miner,
      numberIn(row, 'changes'),
      op === 'add' ? ADD : REMOVE,
      slot,
      idBytes(anchorId),
      bytes,
      shard.anchorType,
      shard.root,
    );
  }

  /** What a frozen slot holds, before it changes for the first time. */
  function putAside(miner: number, place: ShardPlace, shard: OwedShard): void {
    if (place.slot >= rows.classSize('frozen_classes', miner, place.s)) return;
    if (rows.at('frozen_slots', miner, place) === undefined) rows.put('frozen_slots', miner, place, shard);
  }

  function frozenOf(miner: number): FrozenInventory | undefined {
    const row = db.sql('SELECT * FROM frozen_heads WHERE miner = ?').get(miner);
    if (!row) return undefined;
    return {
      inventory: blobIn(row, 'hash'),
      leaves: numberIn(row, 'leaves'),
      changes: numberIn(row, 'changes'),
      classes: rows.classes('frozen_classes', miner),
      shardAt(s, slot) {
        const shard = rows.at('frozen_slots', miner, { s, slot }) ?? rows.at('owed', miner, { s, slot });
        invariant(shard, `no shard in class ${s}, slot ${slot}`);
        return shard;
      },
    };
  }

  return {
    add: (miner, shard) =>
      db.transaction(() => {
        const number = numberOf(miner);
        if (rows.find(number, shard.anchorId)) return false;
        const s = classOf(shard.bytes);
        // The end of the array lies past the frozen part, or where a removal has put its content aside already.
        const place = { s, slot: rows.classSize('owed_classes', number, s) };
        rows.put('owed', number, place, shard);
        chain(number, 'add', shard, place);
        return true;
      }),

    remove: (miner, anchorId) =>
      db.transaction(() => {
        const number = numberOf(miner);
        const found = rows.find(number, anchorId);
        if (!found) return false;
        const { s, slot, shard } = found;
        const lastSlot = rows.classSize('owed_classes', number, s) - 1;
        putAside(number, found, shard);
        rows.delete(number, anchorId);
        if (slot !== lastSlot) {
          const last = rows.at('owed', number, { s, slot: lastSlot });
          invariant(last, 'classes are dense');
          putAside(number, { s, slot: lastSlot }, last);
          rows.move(number, last.anchorId, slot);
        }
        chain(number, 'remove', shard, { s, slot });
        return true;
      }),

    find(miner, anchorId) {
      const row = minerRow(miner);
      return row && rows.find(numberIn(row, 'id'), anchorId)?.shard;
    },

    head(miner) {
      const row = minerRow(miner);
      if (!row) return { inventory: EMPTY_INVENTORY, leaves: 0, shards: 0, bytes: 0 };
      return {
        inventory: blobIn(row, 'hash'),
        leaves: numberIn(row, 'leaves'),
        shards: numberIn(row, 'shards'),
        bytes: numberIn(row, 'bytes'),
      };
    },

    view(miner) {
      const row = minerRow(miner);
      if (!row) return NOTHING;
      const number = numberIn(row, 'id');
      return {
        leaves: numberIn(row, 'leaves'),
        classes: rows.classes('owed_classes', number),
        shardAt(s, slot) {
          const shard = rows.at('owed', number, { s, slot });
          invariant(shard, `no shard in class ${s}, slot ${slot}`);
          return shard;
        },
      };
    },

    list(miner, cursor, limit) {
      const row = minerRow(miner);
      if (!row || limit < 1) return { items: [] };
      const [, s = '0', slot = '0'] = CURSOR.exec(cursor ?? '0.0') ?? [];
      const found = rows.from(numberIn(row, 'id'), { s: Number(s), slot: Number(slot) }, limit + 1);
      const next = found[limit];
      const items = found.slice(0, limit).map(({ shard }) => shard);
      return next ? { items, next: `${next.s}.${next.slot}` } : { items };
    },

    miners: () =>
      db
        .sql('SELECT hotkey FROM owed_miners WHERE shards > 0 ORDER BY id')
        .all()
        .map((row) => textIn(row, 'hotkey') as Hotkey),

    freeze: (miner) =>
      db.transaction(() => {
        const number = numberOf(miner);
        rows.freeze(number);
        const frozen = frozenOf(number);
        invariant(frozen, 'it was frozen just now');
        return frozen;
      }),

    frozen(miner) {
      const row = minerRow(miner);
      return row && frozenOf(numberIn(row, 'id'));
    },
  };
}
