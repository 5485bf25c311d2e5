/**
 * Named types and the parser of their text. Grammar:
 *   type    := primitive | Name | Vec<T> | Option<T> | Compact<T> | Cow<T> | BoundedVec<T> | [T; n] | (T, …)
 *   named   := path params? '{' name: T, … '}' | path params? '(' T, … ')' | path params? ('|' Variant '#index'? fields?)*
 *   params  := '<' name: T, … '>'   what a generic type was made with; some clients look there
 * A definition is parsed when it is first asked for, once. Wrong text is our own mistake and throws.
 */
import { invariant } from '#shared/primitives/failure.ts';
import {
  type Field,
  PRIMITIVES,
  type Primitive,
  type Type,
  type Variant,
  WRAPPER_PATHS,
  type Wrapper,
} from './type.ts';

const TOKEN = /\s*(->|[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z0-9_]+)*|\d+|[<>[\](){},;:|#])/y;

export class TypeTable {
  readonly #definitions: Readonly<Record<string, string>>;
  readonly #named = new Map<string, Type>();
  readonly #byText = new Map<string, Type>();

  constructor(definitions: Readonly<Record<string, string>>) {
    this.#definitions = definitions;
  }

  /** The type that `text` denotes. */
  get(text: string): Type {
    const known = this.#byText.get(text);
    if (known) return known;
    const reader = new Reader(text);
    const type = this.#type(reader);
    reader.end();
    this.#byText.set(text, type);
    return type;
  }

  /** `(T, …)`, `{ name: T, … }` or nothing: the arguments of a call, the fields of an event. */
  fields(text: string): readonly Field[] {
    const reader = new Reader(text);
    const fields = this.#fields(reader);
    reader.end();
    return fields;
  }

  #type(reader: Reader): Type {
    if (reader.take('(')) return { kind: 'tuple', of: this.#list(reader, ')') };
    if (reader.take('[')) {
      const of = this.#type(reader);
      reader.must(';');
      const length = Number(reader.next());
      reader.must(']');
      return { kind: 'array', of, length };
    }
    const name = reader.next();
    if ((PRIMITIVES as readonly string[]).includes(name)) return { kind: 'primitive', name: name as Primitive };
    if (!reader.take('<')) return this.#lookUp(name);
    const of = this.#type(reader);
    reader.must('>');
    if (name === 'Vec') return { kind: 'sequence', of };
    if (name === 'Compact') return { kind: 'compact', of };
    invariant(name in WRAPPER_PATHS, `${name} is no generic type`);
    return { kind: 'wrapper', name: name as Wrapper, of };
  }

  #lookUp(name: string): Type {
    const known = this.#named.get(name);
    if (known) return known;
    const text = this.#definitions[name];
    invariant(text !== undefined, `type ${name} is not declared`);
    const reader = new Reader(text);
    const path = reader.next();
    const params = reader.take('<') ? this.#namedList(reader, '>') : [];
    const type: Type = reader.peek('|')
      ? { kind: 'enum', path, params, variants: this.#variants(reader) }
      : { kind: 'struct', path, params, fields: this.#fields(reader) };
    reader.end();
    this.#named.set(name, type);
    return type;
  }

  #variants(reader: Reader): Variant[] {
    const variants: Variant[] = [];
    let index = 0;
    while (reader.take('|')) {
      if (reader.done) break;
      const name = reader.next();
      if (reader.take('#')) index = Number(reader.next());
      variants.push({ name, index, fields: this.#fields(reader) });
      index++;
    }
    return variants;
  }

  #fields(reader: Reader): readonly Field[] {
    if (reader.take('(')) return this.#list(reader, ')').map((type) => ({ type }));
    return reader.take('{') ? this.#namedList(reader, '}') : [];
  }

  #namedList(reader: Reader, close: string): Field[] {
    const fields: Field[] = [];
    while (!reader.take(close)) {
      const name = reader.next();
      reader.must(':');
      fields.push({ name, type: this.#type(reader) });
      if (!reader.peek(close)) reader.must(',');
    }
    return fields;
  }

  #list(reader: Reader, close: string): Type[] {
    const types: Type[] = [];
    while (!reader.take(close)) {
      types.push(this.#type(reader));
      if (!reader.peek(close)) reader.must(',');
    }
    return types;
  }
}

class Reader {
  readonly #tokens: string[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    TOKEN.lastIndex = 0;
    let read = 0;
    for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
      this.#tokens.push(match[1] as string);
      read = TOKEN.lastIndex;
    }
    invariant(text.slice(read).trim() === '', `cannot read type text: ${text}`);
  }
  get done(): boolean {
    return this.#at === this.#tokens.length;
  }
  next(): string {
    const token = this.#tokens[this.#at++];
    invariant(token !== undefined, `type text ends early: ${this.#text}`);
    return token;
  }
  peek(token: string): boolean {
    return this.#tokens[this.#at] === token;
  }
  take(token: string): boolean {
    if (!this.peek(token)) return false;
    this.#at++;
    return true;
  }
  must(token: string): void {
    invariant(this.take(token), `expected ${token} at token ${this.#at} of: ${this.#text}`);
  }
  end(): void {
    invariant(this.done, `type text goes on after its end: ${this.#text}`);
  }
}
