import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseRefused, openDatabase } from './database.ts';

const PART = { name: 'one', steps: ['CREATE TABLE one (a INTEGER)'] };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'validator-db-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the validator’s database', () => {
  it('keeps what a transaction wrote, and nothing of one that failed', () => {
    let db = openDatabase(folder, [PART]);
    db.transaction(() => {
      db.sql('INSERT INTO one VALUES (1)').run();
      db.transaction(() => db.sql('INSERT INTO one VALUES (2)').run());
    });
    const failing = () =>
      db.transaction(() => {
        db.transaction(() => db.sql('INSERT INTO one VALUES (3)').run());
        throw new Error('crash');
      });
    expect(failing).toThrow('crash');
    db.close();
    db = openDatabase(folder, [PART]);
    expect(db.sql('SELECT a FROM one').all()).toMatchObject([{ a: 1 }, { a: 2 }]);
    db.close();
  });

  it('brings an older folder up, step by step, and refuses a newer one', () => {
    openDatabase(folder, [PART]).close();
    const newer = { name: 'one', steps: [...PART.steps, 'ALTER TABLE one ADD COLUMN b INTEGER'] };
    const db = openDatabase(folder, [newer, { name: 'two', steps: ['CREATE TABLE two (c INTEGER)'] }]);
    db.sql('INSERT INTO one (a, b) VALUES (1, 2)').run();
    db.sql('INSERT INTO two VALUES (1)').run();
    db.close();
    expect(() => openDatabase(folder, [PART])).toThrow(DatabaseRefused);
  });

  it('refuses a second validator on the folder, until the first is gone', () => {
    const first = openDatabase(folder, [PART]);
    expect(() => openDatabase(folder, [PART])).toThrow(/in use by another validator/);
    first.close();
    openDatabase(folder, [PART]).close();
  });
});
