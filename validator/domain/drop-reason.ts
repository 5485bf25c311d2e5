/** The `reason` byte of a drop order (por/v1 §9): the tenant's own, kept by miners, acted on by none. */
export const DROP_REASONS = {
  /** Its owner deleted the file. */
  deleted: 1,
  /** The file's time was over. */
  expired: 2,
  /** The loser of a race, or what an upload left behind, as its edge told. */
  stray: 3,
  /** No manifest names it, and no upload is open that might. */
  orphan: 4,
  /** The file lives on with other shards. */
  recoded: 5,
} as const;

export type DropReason = keyof typeof DROP_REASONS;
