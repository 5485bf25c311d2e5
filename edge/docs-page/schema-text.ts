/**
 * A JSON Schema as people read it: a type in a few words, an example of an object. For `/docs`, whose schemas come from
 * zod and use only what is handled here; anything else falls back to its own JSON.
 */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly examples?: readonly unknown[];
}

const isNull = (schema: Schema): boolean => schema.type === 'null';

/** Whole numbers that are limits of the number type say nothing. */
const isLimit = (value: number | undefined): value is number =>
  value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;

/** `whole number, 1 to 500`, `one of "ok", "impaired"`, `text or null`. */
export function typeText(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return `one of ${schema.enum.map((item) => JSON.stringify(item)).join(', ')}`;
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ');
  switch (schema.type) {
    case 'integer':
    case 'number': {
      const { minimum, maximum } = schema;
      const base = schema.type === 'integer' ? 'whole number' : 'number';
      if (isLimit(minimum) && isLimit(maximum)) return `${base}, ${minimum} to ${maximum}`;
      return base;
    }
    case 'array':
      return `list of ${typeText(schema.items ?? {})}`;
    case 'object':
      return 'object';
    case 'string':
      return schema.format === 'date-time' ? 'time (ISO 8601)' : 'text';
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    default:
      return 'any';
  }
}

export interface Member {
  /** `grant.state`, `files[].cid`. */
  readonly name: string;
  readonly schema: Schema;
  readonly optional: boolean;
}

/** Every member of an object schema, nested ones under dotted names, in order. */
export function membersOf(schema: Schema, prefix = ''): readonly Member[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]): readonly Member[] => {
    const optional = !(schema.required ?? []).includes(name);
    const at = `${prefix}${name}`;
    const object = member.anyOf?.find((item) => !isNull(item) && item.properties) ?? member;
    const inner = object.type === 'array' ? membersOf(object.items ?? {}, `${at}[].`) : membersOf(object, `${at}.`);
    return [{ name: at, schema: member, optional }, ...inner];
  });
}
