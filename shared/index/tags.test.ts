import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidOf } from '#shared/codec/cid.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type FileNumber, newOwnerId } from '#shared/primitives/ids.ts';
import { EDGE_WRITABLE_FAMILIES, familyOf, keys } from './keys.ts';
import {
  cidMember,
  cidTag,
  nameMember,
  nameTag,
  nonceTag,
  ownerCidMember,
  ownerCidTag,
  parseCidMember,
  parseNameMember,
  prefixRange,
} from './tags.ts';

const number = fc.nat(2 ** 40 - 1).map((each) => each as FileNumber);
const cid = cidOf(systemRandom(32));
const owner = newOwnerId(systemRandom);

describe('members', () => {
  it('come back, and sort by file number', () => {
    fc.assert(
      fc.property(number, number, fc.nat(), (a, b, page) => {
        const { tag } = cidTag(cid);
        expect(parseCidMember(cidMember(tag, a))).toEqual({ file: a });
        expect(parseCidMember(ownerCidMember(tag, a, page))).toEqual({ file: a, page });
        expect(cidMember(tag, a) < cidMember(tag, b)).toBe(a < b);
      }),
    );
  });
  it('of names sort by when they were given', () => {
    fc.assert(
      fc.property(fc.nat(10 ** 14), fc.nat(10 ** 14), number, number, (one, two, a, b) => {
        const { tag } = nameTag(owner, 'n');
        expect(parseNameMember(nameMember(tag, one, a))).toBe(a);
        if (one !== two) expect(nameMember(tag, one, a) < nameMember(tag, two, b)).toBe(one < two);
      }),
    );
  });
  it('lie in the range of their tag, and no other tag does', () => {
    const { tag, bucket } = ownerCidTag(owner, cid);
    const { min, max } = prefixRange(tag);
    const inRange = (member: string) => `[${member}` >= min && `(${member}` < max;
    expect(bucket).toBe(cidTag(cid).bucket);
    expect(bucket).toMatch(/^[0-9a-f]{3}$/);
    expect(inRange(ownerCidMember(tag, 5 as FileNumber, 9))).toBe(true);
    expect(inRange(ownerCidMember(ownerCidTag(newOwnerId(systemRandom), cid).tag, 5 as FileNumber, 9))).toBe(false);
  });
  it.each(['', 'short', 'x'.repeat(19), `${'x'.repeat(12)}!!!!!!!!`, `${'x'.repeat(20)}-`])(
    'are not read from %j',
    (text) => {
      expect(parseCidMember(text)?.page).toBeUndefined();
      expect(parseNameMember(text)).toBeUndefined();
    },
  );
  it('of nonces depend on where one text ends and the next begins', () => {
    expect(nonceTag('ab', 'c')).not.toBe(nonceTag('a', 'bc'));
  });
});

describe('keys', () => {
  it('are of one family each, and what the tenant alone may write is not among the edges’', () => {
    const hotkey = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' as never;
    const tenantOnly = [
      keys.identity,
      keys.minerNumbers,
      keys.minerCounter,
      keys.directoryHead,
      keys.directoryVersions,
    ];
    for (const key of [...tenantOnly, keys.grant(hotkey), keys.directoryPage(1, 2)]) {
      expect(EDGE_WRITABLE_FAMILIES).not.toContain(familyOf(key));
    }
    for (const key of [keys.live(1 as FileNumber), keys.usage(owner), keys.ownerPage(owner, 3), keys.uploads]) {
      expect(EDGE_WRITABLE_FAMILIES).toContain(familyOf(key));
    }
  });
});
