/** Settings that more than one program reads from outside, checked alike: a mistake is named, never its value. */
import { z } from 'zod';
import { fromHex } from '#shared/primitives/bytes.ts';
import { type Hotkey, parseHotkey } from '#shared/primitives/ids.ts';
import { type HostPattern, parseHostPattern } from './miner-url.ts';

/** So many bytes of hexadecimal, with or without 0x, in either case. */
export const hexBytes = (bytes: number) =>
  z.string().transform((text, context) => {
    const parsed = fromHex(text.toLowerCase().replace(/^0x/, ''), bytes);
    if (parsed) return parsed;
    context.addIssue({ code: 'custom', message: `must be ${bytes} bytes of hexadecimal` });
    return z.NEVER;
  });

export const hotkeySetting = z.string().transform((text, context): Hotkey => {
  const parsed = parseHotkey(text);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: 'must be an SS58 address with prefix 42' });
  return z.NEVER;
});

/** How a miner's address becomes a URL (`miner-url.ts`). */
export const hostPatternSetting = z.string().transform((text, context): HostPattern => {
  try {
    return parseHostPattern(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});
