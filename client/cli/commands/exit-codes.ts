/** `filetao exit-codes`. */
import type { Run } from '../command-spec.ts';
import { EXIT_MEANINGS } from '../exit-codes.ts';
import { formatTable } from '../terminal/table.ts';

export const exitCodes: Run = async ({ out }) => {
  const rows = EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning]);
  out.result(
    EXIT_MEANINGS.map(([code, meaning]) => ({ code, meaning })),
    formatTable([{ title: 'code', align: 'right' }, { title: 'meaning' }], rows),
  );
};
