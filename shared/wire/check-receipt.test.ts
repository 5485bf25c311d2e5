import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AnchorId, OrderId } from '#shared/primitives/ids.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { encodeStore, type StoreStatement } from '#shared/proof/store-receipt.ts';
import { frameOf, never, newOrder, startWireWorld, type WireWorld } from '#shared/testing/wire-world.ts';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterEach(() => {
  world.reset();
  expect(world.unhandled).toEqual([]);
});
afterAll(() => world.close());

describe('receipts', () => {
  const other = '11'.repeat(16) as OrderId;
  const forged: { id: string; change: (receipt: StoreStatement) => StoreStatement }[] = [
    { id: 'for another order', change: (receipt) => ({ ...receipt, order: other }) },
    { id: 'for another anchor', change: (receipt) => ({ ...receipt, anchorId: 'ff'.repeat(32) as AnchorId }) },
    { id: 'for other bytes', change: (receipt) => ({ ...receipt, bytes: receipt.bytes - 1 }) },
    { id: 'for another tenant', change: (receipt) => ({ ...receipt, tenant: world.edge.hotkey }) },
    { id: 'for another caller', change: (receipt) => ({ ...receipt, caller: world.tenant.hotkey }) },
    { id: 'of another miner', change: (receipt) => ({ ...receipt, miner: world.edge.hotkey }) },
    { id: 'for a shorter hold', change: (receipt) => ({ ...receipt, holdUntilMs: receipt.holdUntilMs - 1 }) },
  ];
  it.each(forged)('$id are none', async ({ id, change }) => {
    // In a stream it is a receipt for nothing that was sent.
    const code = id === 'for another anchor' ? 'broken' : 'forged';
    world.miner.forgeReceipts(change);
    expect(await world.client.putShard(world.miner, newOrder(), frameOf(), never)).toMatchObject({
      failure: { code: 'forged', fault: 'peer' },
    });
    const stream = await world.openStream();
    const sends = [stream.send(frameOf()), stream.send(frameOf())];
    for (const send of sends) expect(await send.receipt).toMatchObject({ failure: { code } });
    await stream.finish();
    expect(await stream.send(frameOf()).receipt).toMatchObject({ failure: { code } });
  });
  it.each([
    {
      id: 'a flipped signature',
      code: 'forged',
      forge: (signed: Uint8Array) => signed.with(-1, (signed.at(-1) ?? 0) ^ 1),
    },
    { id: 'another network', code: 'broken', forge: (signed: Uint8Array) => signed.with(25, 1) },
    { id: 'one byte less', code: 'broken', forge: (signed: Uint8Array) => signed.subarray(1) },
    {
      id: 'another signer',
      code: 'forged',
      forge: (signed: Uint8Array) => signStatement(world.edge, signed.subarray(0, -64)),
    },
  ])('with $id are none', async ({ code, forge }) => {
    const frame = frameOf();
    const id = newOrder();
    const receipt = {
      miner: world.miner.hotkey,
      tenant: world.tenant.hotkey,
      caller: world.edge.hotkey,
      order: id,
      anchorId: frame.anchorId,
      bytes: 1000,
      seq: 1,
      storedAtMs: 1,
      holdUntilMs: frame.holdUntilMs,
    };
    const signed = signStatement(world.miner.signer, encodeStore(world.network, receipt));
    const answerWith = (bytes: Uint8Array) =>
      world.miner.takeOver((request, response) => {
        request.resume().on('end', () => response.writeHead(201).end(bytes));
        return true;
      });
    answerWith(signed);
    expect((await world.client.putShard(world.miner, id, frame, never)).ok).toBe(true);
    answerWith(forge(signed));
    expect(await world.client.putShard(world.miner, id, frame, never)).toMatchObject({ failure: { code } });
  });
});
