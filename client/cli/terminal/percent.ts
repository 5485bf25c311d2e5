/** Shares as people read them. Pure. */

/** "93.5%"; "-" where nothing was asked. */
export const formatRatio = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1).replace(/\.0$/, '')}%`;
