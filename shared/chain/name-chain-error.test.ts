import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameNodeError, nameRuntimeError } from './name-chain-error.ts';
import { attempt, RpcError, RpcUnreachable } from './rpc-error.ts';

const invalid = (data: string) =>
  nameNodeError('author_submitExtrinsic', { code: 1010, message: 'Invalid Transaction', data });

describe('errors of the chain', () => {
  it.each([
    { id: 'pool 1', data: 'Custom error: 1', code: 'stake-too-low' },
    { id: 'pool 6', data: 'Custom error: 6', code: 'weights-too-fast' },
    { id: 'pool 10', data: 'Custom error: 10', code: 'not-registered' },
    { id: 'pool 11', data: 'Custom error: 11', code: 'axon-address-refused' },
    { id: 'pool 12', data: 'Custom error: 12', code: 'serving-too-fast' },
    { id: 'pool 13', data: 'Custom error: 13', code: 'axon-port-refused' },
    { id: 'pool 16', data: 'Custom error: 16', code: 'commit-unknown' },
    { id: 'pool 17', data: 'Custom error: 17', code: 'reveal-too-early' },
    { id: 'pool 19', data: 'Custom error: 19', code: 'not-registered' },
    { id: 'pool 25', data: 'Custom error: 25', code: 'not-owner' },
    { id: 'another spelling', data: 'Custom(12)', code: 'serving-too-fast' },
    { id: 'fee', data: 'Inability to pay some fees (e.g. account balance too low)', code: 'balance-too-low' },
    { id: 'signature', data: 'Transaction has a bad signature', code: 'bad-signature' },
    { id: 'nonce', data: 'Transaction is outdated', code: 'stale' },
    { id: 'era', data: 'Transaction has an ancient birth block', code: 'stale' },
  ])('names $id', ({ data, code }) => {
    expect(invalid(data).code).toBe(code);
  });

  it.each([
    { name: 'HotKeyNotRegisteredInSubNet', code: 'not-registered' },
    { name: 'NotEnoughStakeToSetWeights', code: 'stake-too-low' },
    { name: 'NeuronNoValidatorPermit', code: 'no-validator-permit' },
    { name: 'SettingWeightsTooFast', code: 'weights-too-fast' },
    { name: 'IncorrectWeightVersionKey', code: 'version-key-too-old' },
    { name: 'ServingRateLimitExceeded', code: 'serving-too-fast' },
    { name: 'CommitRevealEnabled', code: 'commit-reveal-on' },
    { name: 'CommitRevealDisabled', code: 'commit-reveal-off' },
    { name: 'TooManyUnrevealedCommits', code: 'too-many-commits' },
    { name: 'CommittingWeightsTooFast', code: 'weights-too-fast' },
  ])('names the runtime error $name', ({ name, code }) => {
    expect(nameRuntimeError('subtensorModule', name).code).toBe(code);
  });

  it.each([
    { code: 1012, expected: 'not-included' },
    { code: 1013, expected: 'not-included' },
    { code: 1014, expected: 'stale' },
    { code: 1016, expected: 'not-included' },
    { code: -32601, expected: 'node-refused' },
  ])('names the node code $code', ({ code, expected }) => {
    expect(nameNodeError('author_submitExtrinsic', { code, message: 'words' }).code).toBe(expected);
  });

  it('never hands on a bare number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), (number) => {
        const failure = invalid(`Custom error: ${number}`);
        expect(failure.message).not.toMatch(/^Custom|^\d/);
        expect(failure.message.length).toBeGreaterThan(15);
      }),
    );
  });

  it('keeps the name and words of an error that the table does not know', () => {
    const { code, message } = nameRuntimeError('subtensorModule', 'SameNetuid', 'Both are the same.');
    expect(code).toBe('refused');
    expect(message).toBe('the chain refused: subtensorModule.SameNetuid (Both are the same)');
    expect(nameRuntimeError('x', 'constructor').code).toBe('refused');
  });

  it('turns only what can be expected into values', async () => {
    const thrown = (error: Error) => attempt(() => Promise.reject(error));
    expect(await thrown(new RpcUnreachable('away'))).toMatchObject({ ok: false, failure: { code: 'unreachable' } });
    expect(await thrown(new RpcError('m', 1014, 'low'))).toMatchObject({ failure: { code: 'stale' } });
    await expect(thrown(new TypeError('ours'))).rejects.toThrow('ours');
  });
});
