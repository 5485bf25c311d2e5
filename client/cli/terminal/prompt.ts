/**
 * Questions to the person at the terminal: yes or no, a line, a secret that is not echoed. Where there is nobody to
 * ask (a pipe, `--json`), every question is answered with undefined and the caller says what flag to give.
 */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

export interface Prompt {
  /** Undefined: nobody to ask. Anything but yes is no. */
  confirm(question: string): Promise<boolean | undefined>;
  line(question: string): Promise<string | undefined>;
  secret(question: string): Promise<string | undefined>;
}

interface PromptStreams {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly enabled: boolean;
  readonly signal: AbortSignal;
}

export function createPrompt({ input, output, enabled, signal }: PromptStreams): Prompt {
  const canAsk = enabled && input.isTTY === true && output.isTTY === true;

  async function ask(question: string, echo: boolean): Promise<string | undefined> {
    if (!canAsk) return undefined;
    let muted = false;
    const screen = new Writable({
      write(chunk, _encoding, done) {
        if (!muted) output.write(chunk);
        done();
      },
    });
    const lines = createInterface({ input, output: screen, terminal: true, historySize: 0 });
    try {
      const answer = lines.question(question, { signal });
      muted = !echo;
      return await answer;
    } finally {
      lines.close();
      if (!echo) output.write('\n');
    }
  }

  return {
    async confirm(question) {
      const answer = await ask(`${question} [y/N] `, true);
      return answer === undefined ? undefined : /^y(es)?$/i.test(answer.trim());
    },
    line: async (question) => (await ask(`${question}: `, true))?.trim(),
    secret: (question) => ask(`${question}: `, false),
  };
}
