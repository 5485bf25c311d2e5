/** Amounts of TAO as people write them; the chain counts billionths (rao). Pure. */

const RAO = 1_000_000_000n;
const DIGITS = 9;

/** "1.5 TAO"; nothing is rounded. */
export function formatTao(rao: bigint): string {
  const fraction = (rao % RAO).toString().padStart(DIGITS, '0').replace(/0+$/, '');
  return `${rao / RAO}${fraction && `.${fraction}`} TAO`;
}

/** Rao of "1.5"; undefined for anything else, or more than nine decimals. */
export function parseTao(text: string): bigint | undefined {
  const [, whole, fraction = ''] = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  return whole === undefined ? undefined : BigInt(whole) * RAO + BigInt(fraction.padEnd(DIGITS, '0'));
}
